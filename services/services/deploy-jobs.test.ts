import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Managed, startManaged } from "../../tests/support/managed.js";
import { good } from "./testing/subject.js";

let m: Managed;
beforeAll(async () => {
  m = await startManaged({});
});
afterAll(() => m.end());

const begin = (name: string) => m.api("POST", "/services/deploy", { name, background: true });
const job = (id: string, query = "") => m.api("GET", `/services/deploys/${id}${query}`);

/** Tests that last until the file is there. */
const waitingFor = (file: string) => `import { existsSync } from "node:fs"; import { test } from "bun:test";
  test("waits", async () => { while (!existsSync(${JSON.stringify(file)})) await Bun.sleep(5); }, 60_000);`;

test("a deploy in the background is answered at once, and says what came of it", async () => {
  const gate = join(m.sandbox.root, "gate");
  m.sandbox.services({ "subject/index.ts": good("one"), "subject/subject.test.ts": waitingFor(gate) });
  const { status, data } = await begin("subject");
  expect([status, data]).toEqual([
    202,
    { id: expect.any(String), name: "subject", status: "running", startedAt: expect.any(String) },
  ]);
  expect((await job(data.id)).data).toEqual(data);
  expect((await job(data.id, "?wait=0")).data.status).toBe("running");
  const waiting = job(data.id, "?wait=60");
  await Bun.write(gate, "");
  const { data: ended } = await waiting;
  expect(ended).toMatchObject({
    status: "done",
    reportStatus: 200,
    report: { name: "subject", deployed: true, generation: 1 },
  });
  expect(Date.parse(ended.finishedAt)).toBeGreaterThanOrEqual(Date.parse(ended.startedAt));
  expect((await m.api("GET", "/subject")).data).toBe("one");
  // It says so again to whoever did not hear it.
  expect((await job(data.id)).data).toEqual(ended);
});

test.each([
  ["a step that says no", "subject", 400, "test: "],
  ["a name that nothing has", "nobody", 404, "validate: "],
])("a deploy in the background fails as any other: %s", async (_what, name, reportStatus, error) => {
  m.sandbox.services({ "subject/subject.test.ts": `throw new Error("no");` });
  const { data } = await begin(name);
  expect((await job(data.id, "?wait=60")).data).toMatchObject({
    status: "failed",
    reportStatus,
    error: expect.stringContaining(error),
    report: { deployed: false },
  });
});

test("a name that is too long for any folder is refused at once, and not kept", async () => {
  const { status, data } = await begin("x".repeat(501));
  expect([status, data.error]).toEqual([400, expect.stringContaining("name must be")]);
});

test("what is no deploy is 404, with where to look instead; a time that is none is 400", async () => {
  const unknown = await job("nothing");
  expect([unknown.status, unknown.data.error]).toEqual([
    404,
    expect.stringContaining("GET /services/<name>"),
  ]);
  expect((await job("nothing", "?wait=soon")).status).toBe(400);
});

test("the latest fifty are kept", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 51; i++) {
    const { data } = await begin("nobody");
    await job(data.id, "?wait=60");
    ids.push(data.id);
  }
  expect((await job(ids[0] ?? "")).status).toBe(404);
  expect((await job(ids[1] ?? "")).status).toBe(200);
});

test("a service may be called deploys", async () => {
  m.sandbox.services({ "deploys/index.ts": good("x").replace("subject", "deploys") });
  expect((await m.deploy("deploys")).status).toBe(200);
  for (const path of ["", "/logs", "/versions"]) {
    expect([path, (await m.api("GET", `/services/deploys${path}`)).status]).toEqual([path, 200]);
  }
});

test("a deploy goes on where it cannot be kept over a restart, and says so at once", async () => {
  const other = await startManaged({ "subject/index.ts": good("one") });
  other.sandbox.write("data/.reef/jobs", "in the way");
  const { status, data } = await other.api("POST", "/services/deploy", { name: "subject", background: true });
  expect([status, data.status, data.warning]).toEqual([
    202,
    "running",
    expect.stringContaining("this will be lost when the server restarts"),
  ]);
  const { data: ended } = await other.api("GET", `/services/deploys/${data.id}?wait=60`);
  expect([ended.status, ended.report.deployed]).toEqual(["done", true]);
  await other.end();
});

test("no more than fifty are under way, and the next one is told so", async () => {
  const gate = join(m.sandbox.root, "further gate");
  m.sandbox.services({ "subject/index.ts": good("two"), "subject/subject.test.ts": waitingFor(gate) });
  const replies = await Promise.all(Array.from({ length: 52 }, () => begin("subject")));
  const refused = replies.filter(({ status }) => status !== 202);
  expect(refused.map(({ status, data }) => [status, data.error])).toEqual([
    [429, expect.stringContaining("try again")],
    [429, expect.stringContaining("try again")],
  ]);
  await Bun.write(gate, "");
  const [first] = replies.flatMap(({ data }) => data.id ?? []);
  expect((await job(first, "?wait=60")).data.status).toBe("done");
});
