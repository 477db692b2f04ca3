import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Runtime, runPi, runSession } from "./agents.js";
import { startModelServer } from "./model-server.js";
import { probeService } from "./probe-service.js";
import { startReef, type TestReef } from "./reef.js";

const RUNTIMES: Runtime[] = ["node", "bun"];
const call = { name: "board_create_task", arguments: { title: "Paint the shed" } };

let reef: TestReef;
let extension: string;
beforeAll(async () => {
  reef = await startReef([
    "services/agent",
    "services/feed",
    "examples/services/board",
    "examples/services/log",
  ]);
  extension = await reef.extension();
});
afterAll(() => reef.stop());

/** What the feed says about an agent. */
const published = async (agent: string) =>
  (await reef.json(`/feed/events?agent=${agent}`)).events.map(({ type }: { type: string }) => type);

const titles = async () =>
  (await reef.json("/board/tasks")).tasks.map((task: { title: string; createdBy: string }) => [
    task.createdBy,
    task.title,
  ]);

describe.each(RUNTIMES)("a real pi on %s", (runtime) => {
  test("loads the file, and its tools reach the board", async () => {
    const title = `Paint on ${runtime}`;
    const { report, files, outside } = await runSession(
      runtime,
      {
        extensions: [extension],
        calls: [
          { name: "board_create_task", arguments: { title } },
          { name: "board_list_tasks", arguments: { limit: "1" } },
          { name: "board_get_task", arguments: { id: "no-such-task" } },
        ],
      },
      reef.env,
    );
    expect(report.loadErrors).toEqual([]);
    expect(report.errors).toEqual([]);
    expect(report.notifications).toEqual([]);
    const [created, listed, missing] = report.results;
    expect(created).toMatchObject({ name: "board_create_task", isError: false });
    expect(await titles()).toContainEqual(["ada", title]);
    expect(listed?.isError, "the text 1 is taken for the number").toBe(false);
    expect(missing).toMatchObject({ isError: true });
    expect(missing?.text).toContain("(404)");
    const { lines } = report.widgets.at(-1) ?? { lines: [] };
    expect(lines[0]).toBe(`Reef ${reef.url}`);
    expect(lines.slice(1).join("\n")).toContain("open");
    expect(files).toEqual([]);
    expect(outside).toBe("");
  });

  test("as a process of its own: the model's call arrives, and the process ends by itself", async () => {
    const model = startModelServer({ ...call, arguments: { title: `Print on ${runtime}` } });
    try {
      const agent = `printer-${runtime}`;
      const env = { ...reef.env, VERS_AGENT_NAME: agent };
      const { code, stdout, stderr, outside } = await runPi(runtime, extension, model.url, env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.trim()).toBe("All done.");
      expect(model.offered).toContain("log_append");
      expect(model.results.join()).toContain(`Print on ${runtime}`);
      expect(await titles()).toContainEqual([agent, `Print on ${runtime}`]);
      const types = await published(agent);
      expect(types).toContain("agent_started");
      expect(types).toContain("agent_finished");
      expect(outside).toBe("");
    } finally {
      await model.stop();
    }
  });
});

test("without a control plane the tools say so, as errors", async () => {
  const { report } = await runSession("node", { extensions: [extension], calls: [call] });
  expect(report.results).toEqual([
    expect.objectContaining({ isError: true, text: expect.stringContaining("VERS_INFRA_URL is not set") }),
  ]);
});

test("a second installation stands down with a warning", async () => {
  const second = await reef.extension();
  const { report, stderr } = await runSession(
    "node",
    { extensions: [extension, second], calls: [call] },
    reef.env,
  );
  expect(report.loadErrors).toEqual([]);
  expect(stderr).toContain("already installed");
  expect(report.results.map(({ isError }) => isError)).toEqual([false]);
});

test("an agent's environment chooses among the services", async () => {
  const { report } = await runSession(
    "node",
    { extensions: [extension] },
    { ...reef.env, REEF_SERVICES: "log" },
  );
  expect(report.tools.filter((name) => /^(?:log|board)_/.test(name))).toEqual(["log_append", "log_query"]);
});

test("choosing no service by name is choosing all, in the environment and in the query", async () => {
  const everything = await reef.extension("?services=");
  const env = { ...reef.env, REEF_SERVICES: "" };
  const { report } = await runSession("bun", { extensions: [everything] }, env);
  expect(report.tools).toContain("log_append");
  expect(report.tools).toContain("board_create_task");
});

test("what the agent aborts ends at once", async () => {
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Promise<Response>(() => undefined),
  });
  try {
    const env = { ...reef.env, VERS_INFRA_URL: `http://127.0.0.1:${silent.port}`, REEF_SERVICES: "log" };
    const calls = [{ name: "log_append", arguments: { text: "x" } }];
    const { report } = await runSession("node", { extensions: [extension], calls, abortAfterMs: 300 }, env);
    expect(report.results).toEqual([expect.objectContaining({ isError: true })]);
    expect(report.results[0]?.text).toContain("aborted");
  } finally {
    await silent.stop(true);
  }
});

test("methods of plugins are tools of the agent, and are called in the server", async () => {
  const name = "plugin__com.example.math-plugin__math__add";
  await reef.write({ "probe/index.ts": probeService(1) });
  await reef.server.ctx.registry.sync();
  const file = await reef.extension();
  const request = {
    extensions: [file],
    calls: [
      { name: name.replaceAll(".", "_"), arguments: { a: 5, b: "3" } },
      { name: name.replaceAll(".", "_"), arguments: { a: 5, b: "many" } },
    ],
  };
  const { report } = await runSession("node", request, reef.env);
  const [sum, refused] = report.results;
  expect(sum).toMatchObject({ isError: false });
  expect(JSON.parse(sum?.text ?? "")).toEqual({ name, result: 8, agentName: "ada" });
  expect(refused).toMatchObject({ isError: true });
});
