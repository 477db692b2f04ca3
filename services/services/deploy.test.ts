import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { contentDigest } from "../../src/core/code/digest.js";
import { type Managed, startManaged } from "../../tests/support/managed.js";
import { answering, eventually, type Files } from "../../tests/support/sandbox.js";
import { good, PASSING } from "./testing/subject.js";

let m: Managed;
const limit = process.env.REEF_TEST_TIMEOUT;

beforeAll(async () => {
  process.env.REEF_TEST_TIMEOUT = "60000";
  m = await startManaged({ "other/index.ts": answering("other", "other") });
});
afterAll(async () => {
  if (limit === undefined) delete process.env.REEF_TEST_TIMEOUT;
  else process.env.REEF_TEST_TIMEOUT = limit;
  await m.end();
});

interface Step {
  step: string;
  status: string;
  detail?: string;
  durationMs: number;
}

const folder = () => join(m.sandbox.servicesDir, "subject");
const put = (files: Files) => {
  for (const [path, source] of Object.entries(files)) m.sandbox.services({ [`subject/${path}`]: source });
};
const answer = async () => (await m.api("GET", "/subject")).data;

describe("a good version", () => {
  test("goes through all four steps and serves", async () => {
    put({ "index.ts": good("one"), "subject.test.ts": PASSING });
    const { status, data } = await m.deploy("subject");
    expect(status).toBe(200);
    expect(data).toMatchObject({ name: "subject", deployed: true, generation: 1 });
    expect(data.digest).toBe(contentDigest(folder()));
    expect(data.steps.map(({ step, status }: Step) => [step, status])).toEqual([
      ["validate", "passed"],
      ["test", "passed"],
      ["load", "passed"],
      ["verify", "passed"],
    ]);
    for (const step of data.steps as Step[]) expect(Number.isInteger(step.durationMs)).toBe(true);
    expect(data.steps[1].detail).toBe("1 test passed");
    expect(data.steps[3].detail).toContain("GET / returned 200");
    expect(await answer()).toBe("one");
  });

  test("without tests skips that step and says so", async () => {
    rmSync(join(folder(), "subject.test.ts"));
    put({ "index.ts": good("untested") });
    const { status, data } = await m.deploy("subject");
    expect(status).toBe(200);
    expect(data.steps[1]).toMatchObject({ step: "test", status: "skipped" });
    expect(data.steps[1].detail).toContain("no test files");
    expect(await answer()).toBe("untested");
  });

  test("may be asked for with further fields", async () => {
    const body = { name: "subject", controlPlane: true, reason: "because" };
    expect((await m.api("POST", "/services/deploy", body)).status).toBe(200);
  });

  test("tests run against scratch data, never the live data folder", async () => {
    put({
      "index.ts": good(
        "scratch",
        "",
        `import { mkdirSync, writeFileSync } from "node:fs";
        const dir = process.env.REEF_DATA_DIR; mkdirSync(dir, { recursive: true });`,
      ),
      "subject.test.ts": `import { expect, test } from "bun:test";
        import { writeFileSync } from "node:fs";
        import { join } from "node:path";
        import "./index.js";
        test("writes", () => writeFileSync(join(process.env.REEF_DATA_DIR, "from-test.json"), "[]"));`,
    });
    expect((await m.deploy("subject")).data.deployed).toBe(true);
    expect(existsSync(join(m.sandbox.dataDir, "from-test.json"))).toBe(false);
  });

  test("may use the harness in its tests", async () => {
    put({
      "index.ts": good("harnessed"),
      "subject.test.ts": `import { afterAll, expect, test } from "bun:test";
        import { createTestHarness } from "../../../src/core/testing.js";
        import subject from "./index.js";
        const setup = createTestHarness({ services: [subject] });
        afterAll(async () => (await setup).cleanup());
        test("answers", async () => {
          const t = await setup;
          const { status, data } = await t.json("/subject", { auth: true });
          expect([status, data]).toEqual([200, "harnessed"]);
        });`,
    });
    expect((await m.deploy("subject")).data).toMatchObject({ deployed: true });
  });
});

describe("several deploys", () => {
  test("of one service run one after the other, and the last one's code serves", async () => {
    put({ "index.ts": good("crowd"), "subject.test.ts": PASSING });
    const reports = await Promise.all(Array.from({ length: 5 }, () => m.deploy("subject")));
    expect(reports.map(({ data }) => data.deployed)).toEqual([true, true, true, true, true]);
    const generations = reports.map(({ data }) => data.generation);
    expect(new Set(generations).size).toBe(5);
    expect(await answer()).toBe("crowd");
  });

  test("of different services do not wait for each other's tests", async () => {
    put({
      "index.ts": good("slow"),
      "subject.test.ts": `import { test } from "bun:test"; test("slow", () => Bun.sleep(1000));`,
    });
    const order: string[] = [];
    const slow = m.deploy("subject").then(() => order.push("subject"));
    const quick = m.deploy("other").then(() => order.push("other"));
    await Promise.all([slow, quick]);
    expect(order).toEqual(["other", "subject"]);
  });
});

test("who hears of the end of a deploy can deploy the same again", async () => {
  put({ "index.ts": good("again"), "subject.test.ts": PASSING });
  const answered = Promise.withResolvers<void>();
  const again = Promise.withResolvers<Response>();
  const off = m.reef.ctx.events.on("services:deploy", async ({ step }) => {
    if (step !== "deploy") return;
    off();
    await answered.promise;
    const body = JSON.stringify({ name: "subject" });
    const headers = { "content-type": "application/json" };
    const request = new Request(`${m.url}/services/deploy`, { method: "POST", headers, body });
    again.resolve(m.reef.ctx.dispatch(request, { trusted: true }));
  });
  await m.deploy("subject");
  answered.resolve();
  expect((await again.promise).status).toBe(200);
});

test("each step is announced between services, and in the event tree below its deploy", async () => {
  const steps: string[] = [];
  const nodes: Array<Record<string, unknown>> = [];
  m.reef.ctx.events.on("services:deploy", ({ step, status }) => void steps.push(`${step} ${status}`));
  const off = m.reef.ctx.events.on("reef:event", (node) => void nodes.push(node));
  put({ "index.ts": good("seen"), "subject.test.ts": PASSING });
  const { data } = await m.deploy("subject");
  const last = `deploy passed: subject is serving version ${data.generation}`;
  await eventually(() => nodes.some(({ content }) => content === last), "the last node");
  off();
  expect(steps).toEqual([
    "validate running",
    "validate passed",
    "test running",
    "test passed",
    "load running",
    "load passed",
    "verify running",
    "verify passed",
    "deploy passed",
  ]);
  const root = nodes.find(({ type }) => type === "deploy");
  const below = nodes.filter(({ parentId }) => parentId === root?.id);
  expect(root?.id).toBeString();
  expect(below.filter(({ type }) => type === "deploy_step").map(({ step }) => step)).toEqual([
    "validate",
    "test",
    "load",
    "verify",
  ]);
  expect(below.at(-1)?.type).toBe("deploy_finished");
  expect(below.find(({ type }) => type === "service_updated")?.content).toBe("subject was reloaded");
  expect(nodes.every(({ source }) => source === "services")).toBe(true);
});

test("the change belongs to its deploy also when the folder is called otherwise than the service", async () => {
  const nodes: Array<Record<string, unknown>> = [];
  const off = m.reef.ctx.events.on("reef:event", (node) => void nodes.push(node));
  const changes = () => nodes.filter(({ type }) => String(type).startsWith("service_"));
  m.sandbox.services({ "shelf/index.ts": answering("books", "one") });
  await m.deploy("shelf");
  m.sandbox.services({ "shelf/index.ts": answering("books", "two") });
  await m.deploy("books");
  const broken = "init() { routes.get('/x', (c) => c.text('', 500)); },";
  m.sandbox.services({ "shelf/index.ts": answering("books", "three", broken) });
  await m.deploy("shelf");
  await eventually(() => changes().length === 3, "the nodes of all changes");
  off();
  const roots = nodes.filter(({ type }) => type === "deploy").map(({ id }) => id);
  expect(changes().map(({ type, parentId }) => [type, roots.indexOf(parentId)])).toEqual([
    ["service_added", 0],
    ["service_updated", 1],
    ["service_failed", 2],
  ]);
});

test("a version that imports another service's code is deployed with a warning", async () => {
  const importing = `import other from "../other/index.js"; void other; ${answering("importing", "x")}`;
  m.sandbox.services({ "importing/index.ts": importing });
  const { data } = await m.deploy("importing");
  expect(data.deployed).toBe(true);
  expect(data.warnings).toContainEqual(expect.stringContaining('index.ts imports "../other/index.js"'));
});

test("a version whose tools agents will not have is deployed with a warning", async () => {
  const tool = (name: string, parameters: string) =>
    `pi.registerTool({ name: "${name}", label: "", description: "", parameters: ${parameters}, execute() {} });`;
  const tools = (...all: string[]) => `registerTools(pi) { ${all.join(" ")} },`;
  m.sandbox.services({ "owner/index.ts": answering("owner", "x", tools(tool("owner_work", "{}"))) });
  const first = await m.deploy("owner");
  const bad = tool("taker_bad", '{ type: "object", properties: { x: { type: "text" } } }');
  m.sandbox.services({ "taker/index.ts": answering("taker", "x", tools(tool("owner_work", "{}"), bad)) });
  const second = await m.deploy("taker");
  const toolsIn = (warnings: string[]) => warnings.filter((warning) => warning.startsWith("tool"));
  expect(toolsIn(first.data.warnings)).toEqual([]);
  expect(toolsIn(second.data.warnings)).toEqual([
    expect.stringContaining('tool "owner_work": its name should start with "taker_"'),
    expect.stringContaining('tool "taker_bad": its parameters are not a valid JSON Schema'),
    'tool "owner_work": the name is already used by "owner"; this tool is skipped',
  ]);
});

test("what a manager's deploy started is gone when the server stops", async () => {
  const file = join(m.sandbox.root, "test.pid");
  put({
    "index.ts": good("stopping"),
    "subject.test.ts": `import { writeFileSync } from "node:fs";
      writeFileSync(${JSON.stringify(file)}, String(process.pid)); for (;;);`,
  });
  const deploying = m.deploy("subject").catch((error: unknown) => error);
  await eventually(() => existsSync(file), "the test");
  await m.stop();
  await deploying;
  const pid = Number(await Bun.file(file).text());
  await eventually(() => !existsSync(`/proc/${pid}`), "the end of the test process");
});
