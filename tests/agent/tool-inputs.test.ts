/** What models send, and what arrives: pi coerces arguments before a tool sees them, and many models fill in blanks. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { validateToolArguments } from "@mariozechner/pi-ai";
import type { TestHarness } from "../../src/core/testing.js";
import { createTestAgent, type TestAgent } from "../../src/core/testing-agent.js";
import { plainSchema } from "../../src/core/tools/schema.js";
import type { ServiceModule } from "../../src/core/types.js";
import { startReef, type TestReef } from "./reef.js";

let reef: TestReef;
let agent: TestAgent;
beforeAll(async () => {
  reef = await startReef(
    ["agent", "services", "installer", "feed", "board", "log"].map((name) => `services/${name}`),
  );
  const modules = reef.server.ctx.getModules() as ServiceModule[];
  const fetch = (url: string, init: RequestInit) => {
    const { pathname, search } = new URL(url);
    return reef.fetch(pathname + search, init);
  };
  agent = createTestAgent({} as TestHarness, modules, { name: "ada", fetch });
});
afterAll(() => reef.stop());

/** The arguments as pi hands them to a tool of an extension file. */
function coerced(name: string, given: Record<string, unknown>): Record<string, unknown> {
  const tool = agent.tools.get(name);
  if (!tool) throw new Error(`no tool is called ${name}`);
  const parameters = plainSchema(tool.parameters);
  return validateToolArguments({ ...tool, parameters } as never, {
    type: "toolCall",
    id: "1",
    name,
    arguments: given,
  });
}

const call = async (name: string, given: Record<string, unknown>) => {
  const { isError = false, content } = await agent.call(name, coerced(name, given));
  return { isError, text: content[0]?.text ?? "" };
};
const answer = async (name: string, given: Record<string, unknown>) => {
  const { isError, text } = await call(name, given);
  expect([name, isError, text]).toEqual([name, false, text]);
  return text;
};

test("null arrives as null wherever a tool's schema takes it", () => {
  const takesNull: string[] = [];
  for (const { name, parameters } of agent.tools.values()) {
    for (const [field, schema] of Object.entries((parameters.properties ?? {}) as Record<string, unknown>)) {
      if (!JSON.stringify(schema).includes('"null"')) continue;
      takesNull.push(`${name}.${field}`);
      const only = { name, parameters: plainSchema({ type: "object", properties: { [field]: schema } }) };
      const arrived = validateToolArguments(only as never, {
        type: "toolCall",
        id: "1",
        name,
        arguments: { [field]: null },
      });
      expect([name, arrived]).toEqual([name, { [field]: null }]);
    }
  }
  expect(takesNull).toContain("board_update_task.assignee");
});

test("a model takes a task's assignee and description away with null", async () => {
  const { id } = JSON.parse(
    await answer("board_create_task", { title: "Paint", description: "Red", assignee: "ada" }),
  );
  const freed = JSON.parse(await answer("board_update_task", { id, description: null, assignee: null }));
  expect(freed).not.toContainAnyKeys(["description", "assignee"]);
});

test("texts that a model leaves empty are as good as left out: on the board", async () => {
  const made = await answer("board_create_task", { title: "Paint", description: "Red", assignee: "ada" });
  const { id } = JSON.parse(made);
  const blanks = { id, title: "", description: "", assignee: "", status: "blocked" };
  expect(JSON.parse(await answer("board_update_task", blanks))).toMatchObject({
    title: "Paint",
    description: "Red",
    assignee: "ada",
    status: "blocked",
  });
  expect(await answer("board_list_tasks", { status: "blocked", assignee: "", tag: "" })).toContain(id);
  expect(JSON.parse(await answer("board_create_task", { title: "Dry", assignee: "" }))).not.toHaveProperty(
    "assignee",
  );
  const artifacts = [{ type: "url", url: "http://a", label: "" }];
  await answer("board_add_artifacts", { id, artifacts });
  await answer("board_submit_for_review", { id, summary: "Look", artifacts });
  expect(JSON.parse(await answer("board_approve_task", { id, comment: "" })).status).toBe("done");
});

test("in the log and in the feed", async () => {
  await answer("log_append", { text: "The shed was delivered" });
  expect(await answer("log_query", { last: "1h", since: "", until: "" })).toContain("The shed was delivered");
  expect(await answer("log_query", { last: "", since: "", until: "" })).toContain("The shed was delivered");
  await answer("feed_publish", { type: "plan", content: "Plan made", parentId: "", detail: "" });
  const blanks = { agent: "", type: "plan", q: "", since: "", cursor: "" };
  expect(await answer("feed_list", blanks)).toContain("Plan made");
  const metadata = { answer: "" };
  const published = await answer("feed_publish", { type: "asked", content: "Nobody answered", metadata });
  expect(JSON.parse(published).metadata).toEqual(metadata);
});

test("and for changes of services", async () => {
  expect((await call("services_rollback", { name: "nobody", digest: "" })).text).toContain('"nobody"');
  const blanks = { source: "/nowhere", from: "", name: "", dirName: "", token: "" };
  const { text } = await call("installer_install", blanks);
  expect(text).toContain("/nowhere");
  await answer("services_disable", { name: "feed", reason: "" });
  const feed = JSON.parse(await answer("services_inspect", { name: "feed" }));
  expect([feed.state, "reason" in feed]).toEqual(["disabled", false]);
  await answer("services_enable", { name: "feed" });
});
