/** What is acknowledged before it is done has an answer after the server was killed, stopped or exchanged in parts. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import services from "../services/services/index.js";
import type { TestHarness } from "../src/core/testing.js";
import { createTestAgent } from "../src/core/testing-agent.js";
import type { Json } from "../src/core/types.js";
import { ReefProcess } from "./support/process.js";
import { answering, eventually, Sandbox, TOKEN } from "./support/sandbox.js";

const BUILT_IN = join(import.meta.dir, "..", "services");

let sandbox: Sandbox;
let reef: ReefProcess;
let begun: string;
let gate: string;
beforeEach(() => {
  sandbox = new Sandbox();
  begun = join(sandbox.root, "begun");
  gate = join(sandbox.root, "gate");
});
afterEach(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

const link = (name: string) => symlinkSync(join(BUILT_IN, name), join(sandbox.servicesDir, name));

// Only a hang reaches these limits.
const start = async (...names: string[]) => {
  const env = {
    REEF_DRAIN_TIMEOUT: "600000",
    REEF_TEST_TIMEOUT: "3600000",
    REEF_INSTALL_TIMEOUT: "3600000",
    REEF_INIT_TIMEOUT: "600000",
  };
  reef = await new ReefProcess(sandbox, { env }).serving(...names);
};

async function ask(method: string, path: string, body?: object): Promise<{ status: number; data: Json }> {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const reply = await reef.call(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: reply.status, data: await reply.json() };
}

/** Tests that last until the gate is there. */
const slow = () => ({
  "lamp/index.ts": answering("lamp", "new"),
  "lamp/lamp.test.ts": `import { test } from "bun:test"; import { existsSync, writeFileSync } from "node:fs";
    test("waits", async () => {
      writeFileSync(${JSON.stringify(begun)}, "");
      while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(5);
    }, 3_600_000);`,
});

/** A deploy in the background that has come to the step which waits; resolves with what it was answered with. */
async function deploying(): Promise<Json> {
  const { status, data } = await ask("POST", "/services/deploy", { name: "lamp", background: true });
  expect([status, data.status]).toEqual([202, "running"]);
  await eventually(() => existsSync(begun), "the step");
  return data;
}

const INTERRUPTED =
  "the server stopped before this finished. GET /services/<name> shows which version is serving";

test("a deploy during which the server was killed is interrupted; one that had ended is as it was", async () => {
  link("services");
  link("feed");
  sandbox.services({ "lamp/index.ts": answering("lamp", "old") });
  await start("services", "lamp", "feed");
  const { data: ended } = await ask("POST", "/services/deploy", { name: "lamp", background: true });
  const { data: done } = await ask("GET", `/services/deploys/${ended.id}?wait=60`);
  expect(done.status).toBe("done");
  sandbox.services(slow());
  const job = await deploying();
  await reef.stop("SIGKILL");

  await start("services", "feed");
  const { status, data } = await ask("GET", `/services/deploys/${job.id}?wait=60`);
  expect([status, data]).toEqual([
    200,
    { ...job, status: "interrupted", error: expect.stringContaining(INTERRUPTED) },
  ]);
  expect((await ask("GET", `/services/deploys/${ended.id}`)).data).toEqual(done);
  const told = async () => {
    const { events } = (await ask("GET", "/feed/events?type=deploy_finished")).data;
    return events?.find(({ content }: { content: string }) => content.includes("interrupted"));
  };
  expect((await eventually(told, "the event")).content).toContain("deploy of lamp interrupted");
  expect(reef.output).toContain("the deploy of lamp was interrupted");

  // It is told of once.
  await reef.stop();
  await start("services", "feed");
  expect((await ask("GET", `/services/deploys/${job.id}`)).data.status).toBe("interrupted");
});

test("an agent whose deploy the server did not survive waits for the next one, which says so", async () => {
  link("services");
  sandbox.services(slow());
  await start("services", "lamp");
  const fetchReef = (url: string, init: RequestInit) => {
    const { pathname, search } = new URL(url);
    return reef.call(pathname + search, init);
  };
  const agent = createTestAgent({ authToken: TOKEN } as TestHarness, [services], { fetch: fetchReef });
  const calling = agent.call("services_deploy", { name: "lamp" });
  await eventually(() => existsSync(begun), "the test");
  await reef.stop("SIGKILL");
  await start("services");
  const { isError, content } = await calling;
  expect([isError, content[0]?.text]).toEqual([
    true,
    expect.stringContaining(`POST /services/deploy (interrupted): ${INTERRUPTED}`),
  ]);
});

test("a deploy during which the server was stopped failed for that reason, also after the next start", async () => {
  link("services");
  sandbox.services(slow());
  await start("services", "lamp");
  const { id } = await deploying();
  const waiting = ask("GET", `/services/deploys/${id}?wait=60`);
  // Besides the one that asks.
  const arrived = async () => (await ask("GET", "/services/services")).data.ledger.requests > 1;
  await eventually(arrived, "the request that waits");
  expect(await reef.stop()).toBe(0);
  const { data } = await waiting;
  expect(data).toMatchObject({
    status: "failed",
    reportStatus: 503,
    error: "test: the server is shutting down.",
    report: { deployed: false },
  });
  await start("services");
  expect(await ask("GET", `/services/deploys/${id}`)).toEqual({ status: 200, data });
});

test.each(["validate", "test"])(
  "a deploy during whose step %p the services manager itself is exchanged ends, and says so",
  async (step) => {
    cpSync(join(BUILT_IN, "services"), join(sandbox.servicesDir, "services"), { recursive: true });
    const reloading = `import { Hono } from "hono"; let ctx;
      export default { name: "reloading", init(given) { ctx = given; },
        routes: new Hono().post("/", async (c) => c.json(await ctx.registry.reload("services"))) };`;
    sandbox.services({ "lamp/index.ts": answering("lamp", "old"), "reloading/index.ts": reloading });
    await start("services", "lamp", "reloading");
    const waits = `async init() {
      const { existsSync, writeFileSync } = await import("node:fs");
      writeFileSync(${JSON.stringify(begun)}, "");
      while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(5);
    }`;
    sandbox.services(step === "test" ? slow() : { "lamp/index.ts": answering("lamp", "new", waits) });
    const { id } = await deploying();
    expect((await ask("POST", "/reloading")).data).toEqual({ name: "services", action: "updated" });
    const { data } = await ask("GET", `/services/deploys/${id}?wait=60`);
    expect(data).toMatchObject({
      status: "failed",
      reportStatus: 503,
      error: `${step}: the services manager was replaced or stopped meanwhile; deploy again`,
    });
  },
);

test("an installation during which the server was killed is interrupted, with the steps it had taken", async () => {
  link("installer");
  await start("installer");
  for (const [path, text] of Object.entries(slow())) sandbox.write(join("source", path), text);
  const body = { source: join(sandbox.root, "source", "lamp"), link: false, test: true, background: true };
  const { status, data: begin } = await ask("POST", "/installer/install", body);
  expect([status, begin]).toEqual([202, { id: begin.id, dirName: "lamp", status: "running" }]);
  await eventually(() => existsSync(begun), "the test");
  const { data: before } = await ask("GET", `/installer/jobs/${begin.id}`);
  expect(before.steps.at(-1)).toMatchObject({ step: "test", status: "running" });
  const record = join(sandbox.dataDir, ".reef", "jobs", "installer", `${begin.id}.json`);
  const steps = () => JSON.parse(readFileSync(record, "utf8")).steps;
  await eventually(() => steps().length === before.steps.length, "the step on disk");
  await reef.stop("SIGKILL");

  await start("installer");
  const { data: job } = await ask("GET", `/installer/jobs/${begin.id}`);
  expect(job).toEqual({
    ...before,
    status: "interrupted",
    error: expect.stringMatching(/^the server stopped before this finished.*GET \/installer\/installed/),
  });
  expect((await ask("GET", "/installer/jobs")).data).toMatchObject({ jobs: [{ id: begin.id }], count: 1 });
  expect((await ask("GET", "/installer/installed")).data.count).toBe(0);
});

test("a long call of an agent that a killed server left is answered with what is known of it", async () => {
  link("agent");
  const calls = join(sandbox.dataDir, ".reef", "jobs", "calls");
  const result = { content: [{ type: "text", text: "six" }] };
  const startedAt = new Date().toISOString();
  mkdirSync(calls, { recursive: true });
  for (const call of [
    { id: "done", name: "dice_roll", status: "done", startedAt, finishedAt: startedAt, result },
    { id: "running", name: "dice_roll", status: "running", startedAt },
    { id: "big", name: "dice_roll", status: "done", startedAt, finishedAt: startedAt, leftOut: ["result"] },
  ]) {
    writeFileSync(join(calls, `${call.id}.json`), JSON.stringify(call));
  }
  await start("agent");
  const wait = async (id: string) => {
    const params = { name: "reef_wait_for_call", arguments: { id } };
    const reply = await reef.call("/mcp", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    });
    const text = await reply.text();
    return JSON.parse(text.replace(/^[^{]*data: /s, "")).result;
  };
  expect(await wait("done")).toEqual(result);
  expect(await wait("running")).toEqual({
    isError: true,
    content: [
      {
        type: "text",
        text: expect.stringMatching(
          /^Error: "dice_roll": the server stopped before this finished\. .*check them before calling/,
        ),
      },
    ],
  });
  expect((await wait("big")).content[0].text).toContain("too large to keep");
  expect((await wait("nothing")).content[0].text).toContain('there is no call with the id "nothing"');
});
