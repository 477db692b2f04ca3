import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const harness = JSON.stringify(join(import.meta.dir, "testing.ts"));

/** The test of a service whose store is written by hand; `n` makes two files of it. */
const addsItem = (n: number) => `
import { afterAll, expect, test } from "bun:test";
import { createTestHarness } from ${harness};
import service from "./index.ts";
const harness = createTestHarness({ services: [service] });
afterAll(async () => (await harness).cleanup());
test("adds item ${n}", async () => {
  const t = await harness;
  const { status, data } = await t.json("/kept", { auth: true, body: { n: ${n} } });
  expect(status).toBe(201);
  expect(data.items).toContainEqual({ n: ${n} });
  expect(JSON.stringify(data.items)).not.toContain("live");
});
`;

const service = (store: string) => `
import { existsSync, appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Hono } from ${JSON.stringify(Bun.resolveSync("hono", import.meta.dir))};
${store}
const store = new Store();
const routes = new Hono();
routes.post("/", async (c) => {
  store.add(await c.req.json());
  return c.json({ items: store.list() }, 201);
});
export default { name: "kept", routes, store };
`;

const LINES = service(`
class Store {
  constructor(file = "data/kept/items.jsonl") {
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) writeFileSync(file, "");
  }
  add(item) { appendFileSync(this.file, JSON.stringify(item) + "\\n"); }
  list() { return readFileSync(this.file, "utf8").split("\\n").filter(Boolean).map((line) => JSON.parse(line)); }
}`);

const MAP = service(`
class Store {
  items = [];
  timer = null;
  constructor(file = "data/kept.json") {
    this.file = file;
    if (existsSync(file)) this.items = JSON.parse(readFileSync(file, "utf8"));
  }
  add(item) {
    this.items.push(item);
    this.timer ??= setTimeout(() => this.flush(), 10);
  }
  list() { return this.items; }
  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(this.items));
  }
}`);

/** `data` is there where a server runs, so it makes no folder. */
const ROWS = service(`
import { Database } from "bun:sqlite";
class Store {
  db = new Database("data/kept.sqlite");
  constructor() { this.db.run("CREATE TABLE IF NOT EXISTS items (json TEXT)"); }
  add(item) {
    appendFileSync("data/kept.log", "added\\n");
    this.db.run("INSERT INTO items VALUES (?)", [JSON.stringify(item)]);
  }
  list() { return this.db.query("SELECT json FROM items").all().map(({ json }) => JSON.parse(json)); }
}`);

const PRELOADED = ["--preload", join(import.meta.dir, "test-preload.ts")];

async function run(...flags: string[]): Promise<{ code: number; output: string }> {
  sandbox.write("tmp/.keep", "");
  const child = Bun.spawn([process.execPath, "test", ...flags, "./services"], {
    cwd: sandbox.root,
    env: { ...process.env, TMPDIR: join(sandbox.root, "tmp"), REEF_DATA_DIR: join(sandbox.root, "live") },
    stdout: "ignore",
    stderr: "pipe",
  });
  const [output, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { code, output };
}
const write = (text: string) => sandbox.services({ "kept/index.ts": text });
const tests = (count: number) => {
  for (let n = 1; n <= count; n++) sandbox.services({ [`kept/file${n}.test.ts`]: addsItem(n) });
};
const left = (folder: string) => readdirSync(join(sandbox.root, folder));

describe.each([
  ["lines that are appended", LINES],
  ["a map that is saved later", MAP],
  ["rows and lines in a folder that it does not make", ROWS],
])("a hand-written store of %s", (_what, text) => {
  test.each([[[]], [["--isolate"]]])(
    "serves several test files, in a scratch folder that is gone afterwards (%p)",
    async (flags) => {
      write(text);
      tests(2);
      const { code, output } = await run(...PRELOADED, ...flags);
      expect(output).toContain("2 pass");
      expect(code).toBe(0);
      expect([left("tmp"), left("data")]).toEqual([[".keep"], []]);
      expect(existsSync(join(sandbox.root, "live"))).toBe(false);
    },
  );
});

test.each([[[]], [["--isolate"]]])("each test file has a data folder of its own (%p)", async (flags) => {
  sandbox.services({ "kept/index.ts": "" });
  for (const file of ["file1.test.ts", "file2.test.ts", "file3_spec.mts"]) {
    sandbox.services({
      [`kept/${file}`]: `
import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
test("starts empty", () => {
  const folder = process.env.REEF_DATA_DIR;
  expect([folder.includes("live"), readdirSync(folder)]).toEqual([false, []]);
  writeFileSync(join(folder, "item"), "");
  process.chdir("/");
});`,
    });
  }
  const { code, output } = await run(...PRELOADED, ...flags);
  expect(output).toContain("3 pass");
  expect(code).toBe(0);
  rmSync(join(sandbox.servicesDir, "kept/file3_spec.mts"));
});

test("stores that harnesses left open are closed once, when the run ends, whatever their close throws", async () => {
  const seen = join(sandbox.root, "closed");
  write(
    service(`
class Store {
  items = [];
  add(item) { this.items.push(item); }
  list() { return this.items; }
  close() {
    appendFileSync(${JSON.stringify(seen)}, this.items.length + " ");
    throw new Error("close failed");
  }
}`),
  );
  tests(2);
  const { code, output } = await run(...PRELOADED);
  expect(output).toContain("2 pass");
  expect(output).toContain("close failed");
  expect([code, readFileSync(seen, "utf8")]).toEqual([0, "2 "]);
});

test("a close that saves in its harness's data folder finds its folders there, and leaves nothing", async () => {
  const seen = join(sandbox.root, "saved");
  const text = service(`
class Store {
  items = [];
  add(item) { this.items.push(item); }
  list() { return this.items; }
  async close() {
    await 1;
    writeFileSync(this.dir + "/deep/items.json", JSON.stringify(this.items));
    appendFileSync(${JSON.stringify(seen)}, this.items.length + " ");
  }
}`);
  const init = 'init(ctx) { store.dir = ctx.dataDir; mkdirSync(ctx.dataDir + "/deep"); }';
  write(text.replace("routes, store", `routes, store, ${init}`));
  tests(2);
  const { code, output } = await run(...PRELOADED);
  expect(output).toContain("2 pass");
  expect(output).not.toContain("store.close()");
  expect([code, readFileSync(seen, "utf8")]).toEqual([0, "2 "]);
  expect(left("tmp")).toEqual([".keep"]);
});

test("a harness that was never cleaned up leaves nothing, as where its test had failed", async () => {
  write(LINES);
  const text = addsItem(1);
  sandbox.services({
    "kept/file1.test.ts": text.replace(/^afterAll.*$/m, ""),
    "kept/file2.test.ts": text.replace("cleanup()", "missing()"),
  });
  const { output } = await run(...PRELOADED);
  expect(output).toContain("2 pass");
  expect(left("tmp")).toEqual([".keep"]);
});

describe("without the preload", () => {
  test.each([
    [LINES, []],
    [LINES, ["--isolate"]],
    [ROWS, []],
  ])(
    "a harness imported first has the services open their files in a scratch folder (%#)",
    async (text, flags) => {
      rmSync(sandbox.dataDir, { recursive: true, force: true });
      write(text);
      tests(2);
      const { code, output } = await run(...flags);
      expect(output).toContain("2 pass");
      expect(code).toBe(0);
      expect([existsSync(sandbox.dataDir), existsSync(join(sandbox.root, "live"))]).toEqual([false, false]);
    },
  );

  test("what such a run leaves in the system's temporary folder is removed by the next one", async () => {
    expect(left("tmp").length).toBeGreaterThan(1);
    await run(...PRELOADED);
    expect(left("tmp")).toEqual([".keep"]);
  });

  test("a harness refuses to work beside a data folder, and says how to run the tests", async () => {
    const live = sandbox.write("data/kept.json", '[{"live":1}]');
    write(LINES);
    tests(1);
    const { code, output } = await run();
    expect(output).toContain(`${sandbox.dataDir} may contain live data`);
    expect(output).toContain(`--preload ${join(import.meta.dir, "test-preload.ts")}`);
    expect(code).toBe(1);
    expect(readFileSync(live, "utf8")).toBe('[{"live":1}]');
    expect(left("data")).toEqual(["kept.json"]);
  });
});
