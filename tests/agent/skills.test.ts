import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadSkillsFromDir } from "@mariozechner/pi-coding-agent";
import type { CatalogTool } from "../../src/agent/index.js";
import { readInput } from "../../src/agent/input.js";
import { startReef, type TestReef } from "./reef.js";

const skillsDir = resolve(import.meta.dir, "..", "..", "skills");
const names = readdirSync(skillsDir).filter((name) => existsSync(join(skillsDir, name, "SKILL.md")));
const textOf = (name: string) => readFileSync(join(skillsDir, name, "SKILL.md"), "utf8");

let reef: TestReef;
let tools: CatalogTool[];
beforeAll(async () => {
  const examples = ["examples/services/board", "examples/services/log"];
  reef = await startReef(["services/agent", "services/services", "services/feed", ...examples]);
  tools = (await reef.json("/services/tools")).tools;
});
afterAll(() => reef.stop());

test("pi takes every skill as it is", () => {
  const { skills, diagnostics } = loadSkillsFromDir({ dir: skillsDir, source: "path" });
  expect(diagnostics).toEqual([]);
  expect(skills.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
});

test.each(names)("the skill %s links only to what agents get with it, or to an address", (name) => {
  const links = [...textOf(name).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link as string);
  const local = links.filter((link) => !/^[a-z]+:/.test(link)).map((link) => resolve(skillsDir, name, link));
  expect(local.filter((path) => !path.startsWith(`${skillsDir}/`) || !existsSync(path))).toEqual([]);
});

describe.each(["app-deployment", "board-and-log"])("the skill %s", (name) => {
  test("names only tools that there are, with inputs that they take", async () => {
    const text = textOf(name);
    const mentioned = [
      ...text.matchAll(/`((?:board|log|feed|services)_[a-z_]+)`(?: with\s+`(\{[^`]*\})`)?/g),
    ];
    expect(mentioned.length).toBeGreaterThan(2);
    for (const [, toolName = "", example] of mentioned) {
      const tool = tools.find((one) => one.name === toolName);
      expect({ toolName, known: tool !== undefined }).toEqual({ toolName, known: true });
      if (tool && example) await readInput(toolName, tool.inputSchema, JSON.parse(example));
    }
  });

  test("names only other skills that there are", () => {
    for (const [, other = ""] of textOf(name).matchAll(/skill `([a-z-]+)`/g)) expect(names).toContain(other);
  });
});

test("the way through the board and the log that the skill describes can be gone", async () => {
  const call = async (name: string, given: Record<string, unknown>, agent = "ada") => {
    const response = await reef.fetch("/extension/call", {
      method: "POST",
      headers: { "x-reef-agent-name": agent },
      body: JSON.stringify({ name, arguments: given }),
    });
    const { content, error } = await response.json();
    return { status: response.status, text: content?.[0].text ?? error };
  };
  await call("log_append", { text: "The shed was delivered" });
  expect((await call("log_query", { last: "1h" })).text).toContain("shed was delivered");
  const { id } = JSON.parse((await call("board_create_task", { title: "Paint the shed" })).text);
  expect((await call("board_list_tasks", { status: "open" })).text).toContain(id);
  const taken = await call("board_update_task", { id, status: "in_progress", assignee: "ada" });
  expect(taken.text).toContain("ada");
  const late = await call("board_update_task", { id, status: "in_progress", assignee: "bob" }, "bob");
  expect(late.text).toContain('(409): the task is assigned to "ada"');
  expect((await call("board_add_note", { id, type: "finding", content: "The door is rotten" })).status).toBe(
    200,
  );
  expect((await call("board_submit_for_review", { id, summary: "It is red; look at it" })).status).toBe(200);
  expect((await call("board_update_task", { id, status: "done" })).text).toContain("(409)");
  expect((await call("board_approve_task", { id })).status).toBe(200);
  expect((await call("board_get_task", { id: id.slice(0, 8) })).text).toContain("(404)");
});
