import { expect, test } from "bun:test";
import type { ToolAnnotations } from "../core/types.js";
import { annotate } from "./annotations.js";

const marks = ({ readOnly, destructive, idempotent }: Required<ToolAnnotations>) =>
  [readOnly && "readOnly", destructive && "destructive", idempotent && "idempotent"]
    .filter(Boolean)
    .join(" ");

test.each([
  ["board", "board_list_tasks", "readOnly idempotent"],
  ["log", "log_query", "readOnly idempotent"],
  ["board", "board_create_task", ""],
  ["board", "board_update_task", "idempotent"],
  ["board", "board_delete_task", "destructive idempotent"],
  ["your-service", "your_service_get", "readOnly idempotent"],
  ["your-service", "your_service_frobnicate", "destructive"],
  ["board", "board_list_and_clear", "destructive idempotent"],
  ["installer", "installer_rollback", "destructive"],
  ["", "add", ""],
  ["", "get_user", "readOnly idempotent"],
  ["", "delete_all", "destructive idempotent"],
  ["list", "get_list_entries", "readOnly idempotent"],
])("%s: %s is %s", (owner, name, expected) => {
  expect(marks(annotate(name, owner))).toBe(expected);
});

test("what the author says counts more than the name", () => {
  expect(marks(annotate("board_list_tasks", "board", { readOnly: false }))).toBe("destructive");
  expect(marks(annotate("board_delete_task", "board", { destructive: false }))).toBe("idempotent");
});

test("what is neither true nor false says nothing: clients would refuse the whole list", () => {
  const given = { readOnly: "yes", destructive: 1, idempotent: null } as unknown as ToolAnnotations;
  expect(annotate("board_list_tasks", "board", given)).toEqual(annotate("board_list_tasks", "board"));
});
