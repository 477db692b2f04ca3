import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lives } from "../../tests/support/process.js";
import { eventually, Sandbox } from "../../tests/support/sandbox.js";
import { ChildChecker } from "./checker.js";
import type { LoadFailure } from "./load-failure.js";

let sandbox: Sandbox;
const open: ChildChecker[] = [];
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(async () => {
  for (const checker of open.splice(0)) await checker.close();
  sandbox.remove();
});
function make(timeoutMs = 20_000, memoryFile?: string): ChildChecker {
  const checker = new ChildChecker({ servicesDir: sandbox.servicesDir, timeoutMs, memoryFile });
  open.push(checker);
  return checker;
}
const failure = (check: Promise<unknown>): Promise<LoadFailure> =>
  check.then(
    () => {
      throw new Error("it passed");
    },
    (error) => error,
  );

test("an import tells the module's name, what it needs and whether it has an init", async () => {
  sandbox.services({
    "a/index.ts": 'export default { name: "shown", dependencies: ["b"], init() {} };',
    "b/index.ts": 'export default { name: "b" };',
  });
  const checker = make();
  expect(await Promise.all([checker.import("a"), checker.import("b")])).toEqual([
    { name: "shown", dependencies: ["b"], hasInit: true },
    { name: "b", dependencies: [], hasInit: false },
  ]);
});

test("services that are started one after the other each have their time", async () => {
  const slow = (name: string) => `export default { name: "${name}", init: () => Bun.sleep(700) };`;
  const names = ["a", "b", "c", "d"];
  sandbox.services(Object.fromEntries(names.map((name) => [`${name}/index.ts`, slow(name)])));
  await make(2000).start(names);
});

test("the data folder is there, for code that opens files in it without making it", async () => {
  sandbox.services({
    "a/index.ts": `import { appendFileSync } from "node:fs"; import { join } from "node:path"; import { Database } from "bun:sqlite";
      const db = new Database("data/a.sqlite");
      export default { name: "a", init() {
        appendFileSync("data/a.jsonl", "{}\\n");
        appendFileSync(join(process.env.REEF_DATA_DIR, "b.jsonl"), "{}\\n");
      } };`,
  });
  const checker = make();
  await checker.import("a");
  await checker.start(["a"]);
});

test.each([
  ["import", 'readFileSync("data/there.json"); export default { name: "a" };'],
  [
    "init",
    'export default { name: "a", init() { readFileSync(process.env.REEF_DATA_DIR + "/there.json"); } };',
  ],
] as const)("an %s that misses a file of data is told that there is none here", async (op, source) => {
  sandbox.services({ "a/index.ts": `import { readFileSync } from "node:fs"; ${source}` });
  const checker = make();
  const { message } = await failure(op === "import" ? checker.import("a") : checker.start(["a"]));
  expect(message).toContain("there.json");
  expect(message).toContain("empty data folder");
});

test("an init that finds its port in use is told that the running version may have it", async () => {
  const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  sandbox.services({
    "a/index.ts": `export default { name: "a", init() {
      Bun.serve({ port: ${taken.port}, hostname: "127.0.0.1", fetch: () => new Response() });
    } };`,
  });
  const { message } = await failure(make().start(["a"]));
  await taken.stop(true);
  expect(message).toContain("beside the running version");
});

test("what an earlier check has left is not there for the next one", async () => {
  const leaving = (then: string) => `import { existsSync, mkdirSync, writeFileSync } from "node:fs";
    const before = existsSync("data/table") || existsSync("loose");
    mkdirSync("data", { recursive: true });
    writeFileSync("data/table", "as the first version wants it");
    writeFileSync("loose", "");
    export default { name: "a", init() { ${then} } };`;
  sandbox.services({ "a/index.ts": leaving('throw new Error("forgot something");') });
  const checker = make();
  expect((await failure(checker.start(["a"]))).message).toContain("forgot something");
  sandbox.services({ "a/index.ts": leaving('if (before) throw new Error("somebody was here");') });
  await checker.import("a");
  await checker.start(["a"]);
  await checker.start(["a"]);
});

test("an error that reaches nobody ends no check, not even a later one", async () => {
  const careless = `export default { name: "a", init(ctx) {
    void ctx.loadModule("nope");
    ctx.signal.addEventListener("abort", () => { throw new Error("at the end"); });
  } };`;
  sandbox.services({ "a/index.ts": careless, "b/index.ts": 'export default { name: "b", init() {} };' });
  const checker = make();
  await checker.start(["a"]);
  await checker.start(["b"]);
  expect(await checker.import("b")).toMatchObject({ name: "b" });
});

test("a check sees the folder as it is now", async () => {
  const checker = make();
  for (const name of ["one", "two", "three"]) {
    sandbox.services({ "a/index.ts": `export default { name: "${name}" };` });
    expect(await checker.import("a")).toMatchObject({ name });
  }
});

const WRAPPED = `import process from "node:process"; const send = process.send.bind(process);
  process.send = (message) => send({ ...message, answers: [1, 2, 3].map((number) => ({ number, answer: { ok: true, facts: { name: "forged", dependencies: [] } } })) });`;

test.each([
  ["process", ""],
  ["the process module", 'import process from "node:process";'],
  ["a send of its own", WRAPPED],
])("what code says through %s is no answer to anybody's check", async (_what, imported) => {
  sandbox.services({
    "a/index.ts": `${imported} process.send?.("ready"); process.send?.({ ok: true });
      process.send?.({ begun: true, answers: [null, { number: 1 }] });
      for (let number = 0; number < 20; number++) {
        process.send?.({ begun: [number], answers: [{ number, answer: { ok: true, facts: { name: "forged", dependencies: [] } } }] });
      }
      export default { name: "a" };`,
    "b/index.ts": 'await new Promise((resolve) => setTimeout(resolve, 30)); throw new Error("b is broken");',
  });
  const checker = make();
  const broken = failure(checker.import("b"));
  expect(await checker.import("a")).toMatchObject({ name: "a" });
  expect((await broken).message).toContain("b is broken");
  const [again, next] = await Promise.all([checker.import("a"), failure(checker.import("b"))]);
  expect([again.name, next.message]).toEqual(["a", expect.stringContaining("b is broken")]);
});

test("what passes runs in another process, with a working directory and data folder of its own", async () => {
  const seen = join(sandbox.root, "seen.json");
  sandbox.services({
    "a/index.ts": `import { writeFileSync } from "node:fs";
      export default { name: "a", init(ctx) { writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.pid, process.cwd(), ctx.dataDir, process.env.REEF_DATA_DIR])); } };`,
  });
  await make().start(["a"]);
  const [pid, cwd, dataDir, variable] = JSON.parse(readFileSync(seen, "utf8"));
  expect(pid).not.toBe(process.pid);
  expect(cwd).not.toBe(process.cwd());
  for (const dir of [dataDir, variable]) expect(dir).toStartWith(cwd);
});

test("what passes does not see how the process is set up that it runs in", async () => {
  const seen = join(sandbox.root, "seen.json");
  sandbox.services({
    "a/index.ts": `import { writeFileSync } from "node:fs"; import real from "node:process";
      writeFileSync(${JSON.stringify(seen)}, JSON.stringify(Object.keys({ ...process.env, ...real.env })));
      export default { name: "a" };`,
  });
  await make().import("a");
  const names: string[] = JSON.parse(readFileSync(seen, "utf8"));
  expect(names).toContain("REEF_CHECKING");
  expect(names.filter((name) => name.startsWith("BUN_JSC_"))).toEqual([]);
});

test.each([
  ["nothing is known yet: a process is started", [], 1],
  ["some code is known: it is not, for there may be nothing to try", ["0".repeat(64)], 0],
])("before the first check, where %s", async (_what, known, count) => {
  const scratchDir = join(sandbox.dataDir, "checks");
  const memoryFile = sandbox.write("data/checked.json", JSON.stringify(known));
  const checker = new ChildChecker({
    servicesDir: sandbox.servicesDir,
    timeoutMs: 20_000,
    memoryFile,
    scratchDir,
  });
  open.push(checker);
  checker.prepare();
  checker.prepare();
  expect(existsSync(scratchDir) ? readdirSync(scratchDir) : []).toHaveLength(count);
  sandbox.services({ "a/index.ts": 'export default { name: "a" };' });
  expect(await checker.import("a")).toMatchObject({ name: "a" });
  expect(readdirSync(scratchDir)).toHaveLength(1);
  await checker.close();
  checker.prepare();
  expect(existsSync(scratchDir)).toBe(false);
});

test("services are started with those they need, and stopped again", async () => {
  const log = join(sandbox.root, "log");
  const noting = (name: string, fields = "") => `import { appendFileSync } from "node:fs";
    const note = (what) => appendFileSync(${JSON.stringify(log)}, what + " ${name}\\n");
    export default { name: "${name}", init() { note("init"); }, dispose() { note("dispose"); }, ${fields} };`;
  sandbox.services({ "a/index.ts": noting("a", 'dependencies: ["b"]'), "b/index.ts": noting("b") });
  await make().start(["b", "a"]);
  const notes = () => readFileSync(log, "utf8").trim().split("\n");
  expect(notes().slice(0, 3)).toEqual(["init b", "init a", "dispose a"]);
  await eventually(() => notes().length > 3, "the end of b");
  expect(notes().slice(3)).toEqual(["dispose b"]);
});

test.each([
  ["imports that take a while", 8, "await Bun.sleep(300);", "init() {}"],
  ["inits that take a while", 8, "", "init: () => Bun.sleep(300)"],
  ["imports that compute for a while", 4, "const end = Date.now() + 200; while (Date.now() < end);", ""],
])("many %s pass, each tried a few times at most", async (_what, length, before, init) => {
  const names = Array.from({ length }, (_, n) => `s${n}`);
  const log = join(sandbox.root, "log");
  for (const name of names) {
    sandbox.services({
      [`${name}/index.ts`]: `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(log)}, "${name}\\n");
        ${before} export default { name: "${name}", ${init} };`,
    });
  }
  const checker = make();
  await Promise.all(names.map(async (name) => checker.import(name).then(() => checker.start([name]))));
  const tries = readFileSync(log, "utf8").trim().split("\n");
  // To start it, it is imported again.
  for (const name of names) expect(tries.filter((one) => one === name).length, name).toBeLessThanOrEqual(6);
});

describe("what does not pass", () => {
  test.each<[string, string, string]>([
    ["throws", 'throw new Error("why");', "IMPORT_FAILED"],
    ["ends its process", "globalThis.process.exit(3);", "PROCESS_ENDED"],
    ["kills its process", 'process.kill(process.pid, "SIGKILL");', "PROCESS_ENDED"],
    ["is no module", "export default 7;", "NO_DEFAULT_EXPORT"],
  ])("%s: the next check works all the same", async (_what, source, code) => {
    sandbox.services({ "bad/index.ts": source, "good/index.ts": 'export default { name: "good" };' });
    const checker = make();
    expect(await failure(checker.import("bad"))).toMatchObject({
      code,
      step: expect.stringMatching(/import|check/),
    });
    expect(await checker.import("good")).toMatchObject({ name: "good" });
  });

  test("init never ends", async () => {
    sandbox.services({ "a/index.ts": 'export default { name: "a", init() { while (true) {} } };' });
    expect(await failure(make(1000).start(["a"]))).toMatchObject({ code: "INIT_TIMEOUT", step: "init" });
  });

  test("never ends: it is given up on, and does not hold up the others", async () => {
    sandbox.services({
      "loop/index.ts": "while (true) {}",
      "await/index.ts": "await new Promise(() => {});",
      "good/index.ts": 'export default { name: "good" };',
    });
    const checker = make(4000);
    const order: string[] = [];
    const bad = ["loop", "await"].map(async (name) => {
      expect(await failure(checker.import(name))).toMatchObject({ code: "IMPORT_TIMEOUT", step: "import" });
      order.push("bad");
    });
    await checker.import("good").then(() => order.push("good"));
    await Promise.all(bad);
    expect(order).toEqual(["good", "bad", "bad"]);
  });

  test.each([
    ["imports", "await new Promise(() => {});", "IMPORT_TIMEOUT"],
    ["inits", "export const init = () => new Promise(() => {});", "INIT_TIMEOUT"],
  ])("any number of %s that wait for ever hold up nobody", async (_what, source, code) => {
    const names = Array.from({ length: 12 }, (_, n) => `wait${n}`);
    const inits = source.includes("init") ? ", init" : "";
    for (const name of names) {
      sandbox.services({ [`${name}/index.ts`]: `${source} export default { name: "${name}"${inits} };` });
    }
    sandbox.services({ "good/index.ts": 'export default { name: "good", init() {} };' });
    const checker = make(6000);
    const order: string[] = [];
    const check = async (name: string) => {
      await checker.import(name);
      await checker.start([name]);
    };
    const bad = names.map((name) => failure(check(name)).then((error) => order.push(error.code)));
    await check("good").then(() => order.push("good"));
    await Promise.all(bad);
    expect(order).toEqual(["good", ...names.map(() => code)]);
  });

  test.each([
    ["at once", "(async () => { while (true) await null; })();"],
    ["in a timer that is due", "setTimeout(() => { while (true) {} }, 0);"],
    ["in an immediate", "setImmediate(() => { while (true) {} });"],
  ])(
    "code that never lets go of the thread %s is named, though it has been imported and has started",
    async (_when, loop) => {
      sandbox.services({
        "import/index.ts": `${loop} export default { name: "import" };`,
        "init/index.ts": `export default { name: "init", init() { ${loop} } };`,
        "good/index.ts": 'export default { name: "good" };',
      });
      const checker = make(1000);
      expect(await failure(checker.import("import"))).toMatchObject({ code: "IMPORT_TIMEOUT" });
      expect(await checker.import("init")).toMatchObject({ name: "init" });
      expect(await failure(checker.start(["init"]))).toMatchObject({ code: "INIT_TIMEOUT" });
      expect(await checker.import("good")).toMatchObject({ name: "good" });
    },
  );

  test("what has come under suspicion holds up no init while others wait for ever", async () => {
    sandbox.services({
      "wait/index.ts": "await new Promise(() => {});",
      "loop/index.ts": "while (true) {}",
      "good/index.ts": 'export default { name: "good", init() {} };',
    });
    const checker = make(4000);
    const order: string[] = [];
    const bad = [failure(checker.import("wait")).then(() => order.push("wait"))];
    await Bun.sleep(300);
    bad.push(failure(checker.import("loop")).then(() => order.push("loop")));
    await Bun.sleep(900);
    await checker.import("good");
    await checker.start(["good"]).then(() => order.push("good"));
    await Promise.all(bad);
    expect(order[0]).toBe("good");
  });

  test("nothing that it has started is left when the checker is closed at once", async () => {
    const marker = join(sandbox.root, "pid");
    sandbox.services({
      "bad/index.ts": `Bun.spawnSync(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $! > ${marker}"]);
        globalThis.process.exit(0);`,
    });
    const checker = make();
    await failure(checker.import("bad"));
    await checker.close();
    expect(lives(Number(readFileSync(marker, "utf8")))).toBe(false);
  });

  test("code that ends its process after a while is named, whatever else goes on there by then", async () => {
    const names = Array.from({ length: 6 }, (_, n) => `wait${n}`);
    for (const name of names) {
      sandbox.services({
        [`${name}/index.ts`]: `await Bun.sleep(700); export default { name: "${name}" };`,
      });
    }
    sandbox.services({
      "bad/index.ts": "setTimeout(() => globalThis.process.exit(3), 400); await new Promise(() => {});",
    });
    const checker = make();
    const told = await Promise.all(["bad", ...names].map((name) => checker.import(name).catch((e) => e)));
    expect(told[0]).toMatchObject({ code: "PROCESS_ENDED" });
    expect(told.slice(1).map(({ name }) => name)).toEqual(names);
  });

  test.each<[string, string, string]>([
    ["ends its process", "globalThis.process.exit(0);", "PROCESS_ENDED"],
    ["never ends", "while (true) {}", "IMPORT_TIMEOUT"],
  ])(
    "of many that are asked for at once the one that %s is named, the others pass",
    async (_what, source, code) => {
      const names = Array.from({ length: 20 }, (_, n) => `s${n}`);
      for (const name of names)
        sandbox.services({ [`${name}/index.ts`]: `export default { name: "${name}" };` });
      sandbox.services({ "s7/index.ts": source });
      const checker = make(3000);
      const told = await Promise.all(names.map((name) => checker.import(name).catch((error) => error)));
      expect(told[7]).toMatchObject({ code, step: "import" });
      expect(told.toSpliced(7, 1).map(({ name }) => name)).toEqual(names.toSpliced(7, 1));
    },
  );

  test.each<[string, string, string]>([
    ["throws", 'throw new Error("why");', "INIT_FAILED"],
    ["ends its process", "globalThis.process.exit(0);", "PROCESS_ENDED"],
  ])("init %s", async (_what, body, code) => {
    sandbox.services({ "a/index.ts": `export default { name: "a", init() { ${body} } };` });
    expect(await failure(make().start(["a"]))).toMatchObject({ code, step: "init" });
  });
});

describe("what has served", () => {
  test("is remembered across restarts", async () => {
    const path = join(sandbox.dataDir, "deep", "checked.json");
    const checker = make(1000, path);
    expect(checker.knows("d1")).toBe(false);
    checker.remember("d1");
    checker.remember("d2");
    expect(checker.knows("d1")).toBe(true);
    await checker.close();
    const later = make(1000, path);
    expect([later.knows("d1"), later.knows("d2"), later.knows("d3")]).toEqual([true, true, false]);
  });

  test.each(["{", "null", '{"a":1}', "[1, null]"])(
    "an unusable memory file (%p) only costs checks",
    (content) => {
      const path = join(sandbox.dataDir, "checked.json");
      writeFileSync(path, content);
      const checker = make(1000, path);
      expect(checker.knows("d1")).toBe(false);
    },
  );
});

test("what a killed server left in the scratch folder is removed at the first check, not before", async () => {
  const scratchDir = join(sandbox.dataDir, "checks");
  const left = join(scratchDir, "child-left", "data");
  mkdirSync(left, { recursive: true });
  sandbox.services({ "a/index.ts": 'export default { name: "a" };' });
  const checker = new ChildChecker({ servicesDir: sandbox.servicesDir, timeoutMs: 20_000, scratchDir });
  open.push(checker);
  // Another server may hold the folder still: it is not touched before there is something to try.
  expect(existsSync(left)).toBe(true);
  await checker.import("a");
  expect(existsSync(left)).toBe(false);
  expect(readdirSync(scratchDir)).toHaveLength(1);
  await checker.close();
  expect(existsSync(scratchDir)).toBe(false);
});

test("checks go on when somebody has removed the scratch folder", async () => {
  const scratchDir = join(sandbox.dataDir, "checks");
  sandbox.services({
    "bad/index.ts": "globalThis.process.exit(1);",
    "good/index.ts": 'export default { name: "good" };',
  });
  const checker = new ChildChecker({ servicesDir: sandbox.servicesDir, timeoutMs: 20_000, scratchDir });
  open.push(checker);
  expect(await failure(checker.import("bad"))).toMatchObject({ code: "PROCESS_ENDED" });
  rmSync(scratchDir, { recursive: true, force: true });
  expect(await checker.import("good")).toMatchObject({ name: "good" });
});

test("checks for which no child can be started are refused with the reason, until one can", async () => {
  const inTheWay = join(sandbox.dataDir, "in-the-way");
  writeFileSync(inTheWay, "");
  sandbox.services({ "a/index.ts": 'export default { name: "a" };' });
  const scratchDir = join(inTheWay, "checks");
  const checker = new ChildChecker({ servicesDir: sandbox.servicesDir, timeoutMs: 20_000, scratchDir });
  open.push(checker);
  const refused = await Promise.all([failure(checker.import("a")), failure(checker.start(["a"]))]);
  for (const one of refused) {
    expect(one).toMatchObject({ code: "CHECK_FAILED", message: expect.stringContaining(scratchDir) });
  }
  rmSync(inTheWay);
  expect(await checker.import("a")).toMatchObject({ name: "a" });
});

test("closing ends checks under way, and refuses new ones", async () => {
  const marker = join(sandbox.root, "pid");
  sandbox.services({
    "loop/index.ts": `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, String(process.pid)); while (true) {}`,
  });
  const checker = make(600_000);
  const waiting = [failure(checker.import("loop")), failure(checker.import("loop"))];
  await eventually(() => existsSync(marker) && readFileSync(marker, "utf8") !== "");
  await checker.close();
  for (const refused of [...(await Promise.all(waiting)), await failure(checker.import("loop"))]) {
    expect(refused.message).toContain("shutting down");
  }
  await eventually(() => !existsSync(`/proc/${readFileSync(marker, "utf8")}`));
});
