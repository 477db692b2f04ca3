import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually, type Files, Sandbox } from "../../tests/support/sandbox.js";
import { type Generation, importGeneration, wrapModule } from "./generation.js";
import type { LoadFailure } from "./load-failure.js";
import { LogBook, type LogLine } from "./log.js";

let sandbox: Sandbox;
let lines: LogLine[];
let logs: LogBook;
const made: Generation[] = [];
beforeEach(() => {
  sandbox = new Sandbox();
  lines = [];
  logs = new LogBook((line) => lines.push(line));
});
afterEach(async () => {
  for (const generation of made.splice(0)) await generation.dispose();
  sandbox.remove();
});

const dir = () => join(sandbox.servicesDir, "s");
const write = (files: Files) =>
  sandbox.services(Object.fromEntries(Object.entries(files).map(([path, text]) => [`s/${path}`, text])));
async function load(files: Files, timeoutMs = 10_000): Promise<Generation> {
  write(files);
  const generation = await importGeneration({ dir: dir(), label: "s", logs, timeoutMs, dataDir: "/data" });
  made.push(generation);
  return generation;
}
async function failing(files: Files, timeoutMs?: number): Promise<LoadFailure> {
  return load(files, timeoutMs).then(
    () => {
      throw new Error("it was loaded");
    },
    (error) => error,
  );
}
/** Calls the function that the module puts into its `store`. */
const ask = (generation: Generation, name: string, ...args: unknown[]): unknown =>
  generation.scope.run(() =>
    (generation.module.store as unknown as Record<string, (...a: unknown[]) => unknown>)[name]?.(...args),
  );
const simple = (body: string) => ({
  "index.ts": `${body}\nexport default { name: "s", store: { ask: () => value } };`,
});

describe("every load is fresh", () => {
  test.each<[string, Files, Files]>([
    ["the entry", simple("const value = 1;"), simple("const value = 2;")],
    [
      "a nested file",
      {
        ...simple('import { value } from "./lib/a.js";'),
        "lib/a.ts": 'export { value } from "./deep/b.ts";',
        "lib/deep/b.ts": "export const value = 1;",
      },
      { "lib/deep/b.ts": "export const value = 2;" },
    ],
    [
      "JSON",
      { ...simple('import data from "./data.json"; const { value } = data;'), "data.json": '{ "value": 1 }' },
      { "data.json": '{ "value": 2 }' },
    ],
    [
      "text",
      {
        ...simple('import text from "./v.txt" with { type: "text" }; const value = Number(text);'),
        "v.txt": "1",
      },
      { "v.txt": "2" },
    ],
    [
      "files that import each other",
      {
        ...simple('import { value } from "./a.js";'),
        "a.ts": 'import { b } from "./b.js"; export const one = () => 1; export const value = b();',
        "b.ts": 'import { one } from "./a.js"; export const b = () => one() * 1;',
      },
      { "b.ts": 'import { one } from "./a.js"; export const b = () => one() * 2;' },
    ],
    [
      "CommonJS",
      { ...simple('const { value } = require("./c.cjs");'), "c.cjs": "module.exports = { value: 1 };" },
      { "c.cjs": "module.exports = { value: 2 };" },
    ],
  ])("%s", async (_what, before, change) => {
    const first = await load(before);
    const second = await load(change);
    expect([ask(first, "ask"), ask(second, "ask")]).toEqual([1, 2]);
  });

  test("a file that is imported when it is needed", async () => {
    const files = {
      "index.ts":
        'export default { name: "s", store: { ask: async () => (await import("./lazy.js")).value } };',
      "lazy.ts": "export const value = 1;",
    };
    const first = await load(files);
    expect(await ask(first, "ask")).toBe(1);
    const second = await load({ "lazy.ts": "export const value = 2;" });
    expect(await ask(second, "ask")).toBe(2);
    expect(await ask(first, "ask")).toBe(1);
  });

  test("state of modules is not shared between versions", async () => {
    const counter = simple("let n = 0; const value = ++n;");
    expect(ask(await load(counter), "ask")).toBe(1);
    expect(ask(await load(counter), "ask")).toBe(1);
  });

  test("paths and stacks are those of the source", async () => {
    const generation = await load({
      "index.ts":
        'import { here, fail } from "./lib/f.js";\nexport default { name: "s", store: { here, fail, main: () => import.meta.main } };',
      "lib/f.ts":
        'export const here = () => import.meta.dir;\nexport const fail = () => {\n  throw new Error("at line 3");\n};',
    });
    expect(ask(generation, "here")).toBe(join(dir(), "lib"));
    expect(ask(generation, "main")).toBe(false);
    expect(() => ask(generation, "fail")).toThrow("at line 3");
    const stack = await Promise.try(() => ask(generation, "fail")).catch((error) => error.stack);
    expect(stack).toContain(`${join(dir(), "lib", "f.ts")}:3:`);
  });
});

describe("a failed load", () => {
  const good = simple("const value = 7;");

  test.each<[string, Files, string, RegExp]>([
    ["a syntax error", { "index.ts": "export default {{{" }, "IMPORT_FAILED", /index\.ts:1:\d+\)/],
    [
      "a syntax error in a nested file",
      { "index.ts": 'import "./lib/x.js"; export default { name: "s" };', "lib/x.ts": "\nlet = ;" },
      "IMPORT_FAILED",
      /\(lib\/x\.ts:2:\d+\)/,
    ],
    ["a throw", { "index.ts": 'throw new Error("not today");' }, "IMPORT_FAILED", /not today/],
    [
      "a throw of something odd",
      { "index.ts": "throw Object.create(null);" },
      "IMPORT_FAILED",
      /cannot be shown/,
    ],
    ["a throw of nothing", { "index.ts": "throw undefined;" }, "IMPORT_FAILED", /undefined/],
    [
      "a rejecting await",
      { "index.ts": 'await Promise.reject(new Error("refused"));' },
      "IMPORT_FAILED",
      /refused/,
    ],
    ["a missing file", { "index.ts": 'import "./gone.js";' }, "IMPORT_FAILED", /gone\.js/],
    [
      "a missing package",
      { "index.ts": 'import "no-such-package-here";' },
      "IMPORT_FAILED",
      /no-such-package-here/,
    ],
    [
      "a missing export",
      { "index.ts": 'import { nope } from "./a.js"; export default nope;', "a.ts": "export const a = 1;" },
      "IMPORT_FAILED",
      /nope/,
    ],
    [
      "JSX that does not say whose",
      { "index.ts": 'import "./a.js"; export default { name: "s" };', "a.tsx": "export const nope = <p />;" },
      "IMPORT_FAILED",
      /'react.+a\.tsx.+start the file with \/\*\* @jsxImportSource hono\/jsx \*\//,
    ],
    ["no default export", { "index.ts": "export const value = 7;" }, "NO_DEFAULT_EXPORT", /exports nothing/],
    ["a wrong field", { "index.ts": 'export default { name: "s", init: 1 };' }, "BAD_FIELD", /^init of "s"/],
    [
      "process.exit",
      { "index.ts": "process.exit(3);" },
      "IMPORT_FAILED",
      /process\.exit\(\) is not available to service "s"/,
    ],
    ["process.abort", { "index.ts": "process.abort();" }, "IMPORT_FAILED", /process\.abort/],
    ["process.chdir", { "index.ts": 'process.chdir("/");' }, "IMPORT_FAILED", /process\.chdir/],
  ])("because of %s says why, and the mended folder loads", async (_what, files, code, message) => {
    const failure = await failing(files);
    expect(failure).toMatchObject({ name: "LoadFailure", code });
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain(sandbox.root);
    write({ "lib/x.ts": "", "gone.ts": "", "a.ts": "export const nope = 1;" });
    expect(ask(await load(good), "ask")).toBe(7);
  });

  test.each([
    ["SQLite", 'import { Database } from "bun:sqlite"; new Database("data/s.sqlite");', "unable to open"],
    ["files", 'import { appendFileSync } from "node:fs"; appendFileSync("data/s.jsonl", "x");', "ENOENT"],
  ])("because its %s belong into a folder data that is not there says so", async (_what, code, reason) => {
    const before = process.cwd();
    const elsewhere = dirname(sandbox.write("elsewhere/.keep", ""));
    const hint = `There is no folder "data" in ${elsewhere}, where the server runs`;
    try {
      process.chdir(elsewhere);
      const { message } = await failing({ "index.ts": `${code} export default { name: "s" };` });
      expect(message).toContain(reason);
      expect(message).toContain(hint);
      mkdirSync("data");
      const unrelated = await failing({ "index.ts": code.replace("data/", "data/deep/") });
      expect(unrelated.message).not.toContain("There is no folder");
    } finally {
      process.chdir(before);
    }
  });

  test("because there is no index.ts", async () => {
    expect(await failing({ "other.ts": "" })).toMatchObject({ code: "NO_ENTRY", step: "find" });
  });

  test("because an await never ends stops after the limit and lets go of what it opened", async () => {
    const failure = await failing(
      { "index.ts": "setInterval(() => console.log('tick'), 1); await new Promise(() => {});" },
      20,
    );
    expect(failure).toMatchObject({ code: "IMPORT_TIMEOUT" });
    const seen = lines.length;
    await Bun.sleep(10);
    expect(lines).toHaveLength(seen);
  });

  test("leaves nothing running: timers, servers", async () => {
    await failing({
      "index.ts": `const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("alive") });
        globalThis.__leftover = server.port;
        throw new Error("after opening");`,
    });
    const port = (globalThis as unknown as { __leftover: number }).__leftover;
    expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

describe("what a service opens", () => {
  test("ends with it: timers, servers, databases, watchers, child processes", async () => {
    const generation = await load({
      "index.ts": `import { Database } from "bun:sqlite";
        const db = new Database(":memory:");
        const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("alive") });
        const child = Bun.spawn(["sleep", "1000"]);
        setInterval(() => console.log("tick"), 1);
        export default { name: "s", store: { port: () => server.port, pid: () => child.pid, db: () => db.query("select 1").get() } };`,
    });
    const url = `http://127.0.0.1:${ask(generation, "port")}/`;
    const pid = ask(generation, "pid") as number;
    expect(await (await fetch(url)).text()).toBe("alive");
    await eventually(() => lines.some(({ text }) => text === "tick"));
    await generation.dispose();
    expect(fetch(url)).rejects.toThrow();
    await eventually(() => !alive(pid), "the child's end");
    const seen = lines.length;
    await Bun.sleep(10);
    expect(lines).toHaveLength(seen);
  });

  test("includes its listeners on the process", async () => {
    const before = process.listenerCount("SIGUSR2");
    const generation = await load({
      "index.ts": `const heard = [];
        const listen = () => heard.push("on");
        process.on("SIGUSR2", listen);
        process.addListener("SIGUSR2", () => heard.push("addListener"));
        process.prependListener("SIGUSR2", () => heard.push("first"));
        process.once("SIGUSR2", () => heard.push("once"));
        export default { name: "s", store: { heard: () => heard, off: () => process.off("SIGUSR2", listen) } };`,
    });
    expect([process.listenerCount("SIGUSR2") - before, generation.scope.processListeners]).toEqual([4, 4]);
    process.emit("SIGUSR2", "SIGUSR2");
    expect(ask(generation, "heard")).toEqual(["first", "on", "addListener", "once"]);
    expect([process.listenerCount("SIGUSR2") - before, generation.scope.processListeners]).toEqual([3, 3]);
    ask(generation, "off");
    expect([process.listenerCount("SIGUSR2") - before, generation.scope.processListeners]).toEqual([2, 2]);
    await generation.dispose();
    expect(process.listenerCount("SIGUSR2")).toBe(before);
  });

  test("a failed import takes its listeners on the process with it", async () => {
    const before = process.listenerCount("SIGUSR2");
    await failing({ "index.ts": 'process.on("SIGUSR2", () => {}); throw new Error("after listening");' });
    expect(process.listenerCount("SIGUSR2")).toBe(before);
  });

  test("what a listener on the process throws or rejects is the service's own error", async () => {
    const generation = await load({
      "index.ts": `process.on("SIGUSR2", () => { throw new Error("thrown by listener"); });
        process.on("SIGUSR2", async () => { throw new Error("rejected by listener"); });
        process.on("SIGUSR2", () => process.exit(1));
        export default { name: "s" };`,
    });
    expect(() => process.emit("SIGUSR2", "SIGUSR2")).not.toThrow();
    await eventually(() => generation.scope.lateErrors === 3);
    const text = lines.map((line) => line.text).join("\n");
    for (const what of ["thrown by listener", "rejected by listener", "process.exit()"])
      expect(text).toContain(what);
  });
});

describe("errors that nobody waits for", () => {
  test.each<[string, string]>([
    ["a throw in a timer", 'setTimeout(() => { throw new Error("late one"); }, 1);'],
    ["an unhandled rejection", 'Promise.reject(new Error("late one"));'],
    ["a throw in a microtask", 'queueMicrotask(() => { throw new Error("late one"); });'],
    ["a throw on the next tick", 'process.nextTick(() => { throw new Error("late one"); });'],
    [
      "an emitter's error event",
      'import { EventEmitter } from "node:events"; setImmediate(() => new EventEmitter().emit("error", new Error("late one")));',
    ],
    [
      "a stream's error",
      'import { createReadStream } from "node:fs"; createReadStream("/no/such/late one");',
    ],
    ["a rejection after an await", '(async () => { await Bun.sleep(1); throw new Error("late one"); })();'],
  ])("%s is counted and logged under the service", async (_what, code) => {
    const generation = await load({ "index.ts": `${code}\nexport default { name: "s" };` });
    await eventually(() => generation.scope.lateErrors === 1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ service: "s", level: "error" });
    expect(lines[0]?.text).toContain("late one");
  });
});

describe("a service's own globals", () => {
  test("console writes to the service's log", async () => {
    await load({
      "index.ts": `console.log("a %s", "b"); console.warn({ c: 1 }); console.error(new Error("d")); console.debug("e");
        console.info("f"); console.assert(false, "g"); console.assert(true, "h"); console.dir({ i: 1 }, { depth: 0 });
        export default { name: "s" };`,
    });
    expect(lines.map(({ level, text }) => [level, text.split("\n")[0]])).toEqual([
      ["info", "a b"],
      ["warn", "{ c: 1 }"],
      ["error", "Error: d"],
      ["debug", "e"],
      ["info", "f"],
      ["error", "Assertion failed: g"],
      ["info", "{ i: 1 }"],
    ]);
  });

  test("environment changes stay within the service", async () => {
    const generation = await load({
      "index.ts":
        'process.env.ONLY_HERE = "1"; delete process.env.PATH; export default { name: "s", store: { env: () => process.env } };',
    });
    expect(ask(generation, "env")).toMatchObject({ ONLY_HERE: "1" });
    expect(process.env.ONLY_HERE).toBeUndefined();
    expect(process.env.PATH).toBeDefined();
  });

  test("the rest of process is the real one", async () => {
    const generation = await load({
      "index.ts": `export default { name: "s", store: { look: () => [process.pid, process.cwd(), typeof process.hrtime.bigint(), process.memoryUsage().rss > 0, process.version] } };`,
    });
    expect(ask(generation, "look")).toEqual([process.pid, process.cwd(), "bigint", true, process.version]);
  });

  test("process.exit fails where it is called, at any time", async () => {
    const generation = await load({
      "index.ts": 'export default { name: "s", store: { leave: () => process.exit(0) } };',
    });
    expect(() => ask(generation, "leave")).toThrow('not available to service "s"');
  });
});

describe("a wrapped module object", () => {
  test("is checked like any other and owns its scope", async () => {
    expect(() => wrapModule({ name: "" }, logs, "/data")).toThrow("name");
    const generation = wrapModule({ name: "obj" }, logs, "/data");
    let disposed = false;
    generation.scope.own(() => {
      disposed = true;
    });
    const waiting = generation.scope.outlive(new Promise(() => undefined));
    await generation.dispose();
    expect(disposed).toBe(true);
    expect(waiting).rejects.toThrow("no longer running");
  });
});

test("hundreds of loads do not add up in memory", async () => {
  const big = simple("const value = new Array(50_000).fill(1);");
  const round = async (loads: number) => {
    for (let n = 0; n < loads; n++) await (await load(big)).dispose();
    made.length = 0;
    Bun.gc(true);
    return process.memoryUsage().rss / 2 ** 20;
  };
  const before = await round(50);
  const after = await round(300);
  // 300 × 0.4 MB would be 120 MB.
  expect(after - before).toBeLessThan(60);
  rmSync(dir(), { recursive: true });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
