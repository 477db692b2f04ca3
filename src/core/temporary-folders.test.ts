import { expect, test } from "bun:test";
import { isAbandoned, isOurs, processOf } from "./temporary-folders.js";

test.each([
  ["reef-x-12-abc", 12],
  ["reef-x-12", undefined],
  ["reef-x-abc-12-", undefined],
  ["reef-xy-12-abc", undefined],
  ["other-reef-x-12-abc", undefined],
])("%s names the process %p", (name, id) => {
  expect(processOf(name, "reef-x")).toBe(id);
});

test("a folder is abandoned when its process is gone, and never when it names none", () => {
  const gone = Bun.spawnSync(["true"]).pid;
  const names = [`reef-x-${process.pid}-a`, `reef-x-${gone}-a`, "reef-x-a", `reef-y-${gone}-a`];
  expect(names.map((name) => isAbandoned(name, "reef-x"))).toEqual([false, true, false, false]);
});

test("what belongs to another user is not ours", () => {
  const uid = process.getuid?.() ?? 0;
  expect([uid, uid + 1].map((uid) => isOurs({ uid }))).toEqual([true, false]);
});
