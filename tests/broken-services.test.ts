import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ReefProcess } from "./support/process.js";
import { answering, eventually, type Files, Sandbox } from "./support/sandbox.js";

interface Broken {
  /** `index.ts`, or more files by path. */
  files: string | Files;
  code: string;
  /** Part of the reason that people read. */
  reason: RegExp;
  /** The name it is reported under, when that is not the folder's. */
  as?: string;
}

const init = (body: string, name: string) => `export default { name: "${name}", init(ctx) { ${body} } };`;
const field = (name: string, value: string) => `export default { name: "${name}", ${value} };`;

/** Folders that cannot be served, each for another reason. */
const BROKEN: Record<string, Broken> = {
  "throw-at-import": {
    files: 'throw new Error("import says no");',
    code: "IMPORT_FAILED",
    reason: /import says no/,
  },
  "throw-nothing": { files: "throw undefined;", code: "IMPORT_FAILED", reason: /undefined/ },
  "throw-unshowable": {
    files: "throw Object.create(null);",
    code: "IMPORT_FAILED",
    reason: /cannot be shown/,
  },
  "reject-at-import": {
    files: 'await Promise.reject(new Error("await says no"));',
    code: "IMPORT_FAILED",
    reason: /await says no/,
  },
  "syntax-error": { files: "export default { name: ", code: "IMPORT_FAILED", reason: /index\.ts:1:/ },
  "nested-syntax-error": {
    files: { "index.ts": 'import "./lib.js"; export default { name: "x" };', "lib.ts": "const x = ;" },
    code: "IMPORT_FAILED",
    reason: /lib\.ts:1:/,
  },
  "missing-file": { files: 'import "./not-there.js";', code: "IMPORT_FAILED", reason: /not-there/ },
  "missing-package": {
    files: 'import "no-such-package-anywhere";',
    code: "IMPORT_FAILED",
    reason: /no-such-package-anywhere/,
  },
  "missing-export": {
    files: { "index.ts": 'import { b } from "./a.js"; export default b;', "a.ts": "export const a = 1;" },
    code: "IMPORT_FAILED",
    reason: /\bb\b/,
  },
  "not-typescript": { files: "\u0000\u0001\u0002", code: "IMPORT_FAILED", reason: /index\.ts/ },
  "no-default": { files: 'export const name = "x";', code: "NO_DEFAULT_EXPORT", reason: /exports nothing/ },
  "default-is-a-function": {
    files: "export default () => {};",
    code: "NO_DEFAULT_EXPORT",
    reason: /function/,
  },
  "default-is-null": { files: "export default null;", code: "NO_DEFAULT_EXPORT", reason: /object/ },
  "empty-file": { files: "", code: "NO_DEFAULT_EXPORT", reason: /exports nothing/ },
  "no-index": {
    files: { "service.ts": 'export default { name: "x" };' },
    code: "NO_ENTRY",
    reason: /no index\.ts/,
  },
  "no-name": { files: "export default {};", code: "BAD_NAME", reason: /name is undefined/ },
  "bad-name": { files: 'export default { name: "../etc" };', code: "BAD_NAME", reason: /\.\.\/etc/ },
  "name-is-a-number": { files: "export default { name: 7 };", code: "BAD_NAME", reason: /name is 7/ },
  "reserved-name": {
    files: 'export default { name: "health" };',
    code: "RESERVED_NAME",
    reason: /"health" is reserved/,
  },
  "reserved-in-capitals": {
    files: 'export default { name: "AUTH" };',
    code: "RESERVED_NAME",
    reason: /"AUTH" is reserved/,
  },
  "duplicate-name": {
    files: answering("good-one", "impostor"),
    code: "DUPLICATE_NAME",
    reason: /already used by folder "good-one"/,
  },
  "bad-routes": { files: field("bad-routes", "routes: {}"), code: "BAD_FIELD", reason: /routes of/ },
  "bad-store": { files: field("bad-store", "store: { flush: 1 }"), code: "BAD_FIELD", reason: /store of/ },
  "bad-init": { files: field("bad-init", 'init: "later"'), code: "BAD_FIELD", reason: /init of/ },
  "bad-auth": {
    files: field("bad-auth", 'requiresAuth: "no"'),
    code: "BAD_FIELD",
    reason: /requiresAuth of/,
  },
  "bad-root": { files: field("bad-root", "mountAtRoot: 1"), code: "BAD_FIELD", reason: /mountAtRoot of/ },
  "bad-docs": { files: field("bad-docs", "routeDocs: []"), code: "BAD_FIELD", reason: /routeDocs of/ },
  "bad-dependencies": {
    files: field("bad-dependencies", 'dependencies: "feed"'),
    code: "BAD_FIELD",
    reason: /dependencies of/,
  },
  "bad-tools": {
    files: field("bad-tools", "registerTools: true"),
    code: "BAD_FIELD",
    reason: /registerTools of/,
  },
  "bad-widget": { files: field("bad-widget", "widget: {}"), code: "BAD_FIELD", reason: /widget of/ },
  "getter-that-throws": {
    files: 'export default { get name() { throw new Error("no name for you"); } };',
    code: "IMPORT_FAILED",
    reason: /no name for you/,
  },
  "needs-a-ghost": {
    files: answering("needs-a-ghost", "x", 'dependencies: ["ghost"]'),
    code: "MISSING_DEPENDENCY",
    reason: /"ghost"/,
  },
  "needs-a-broken-one": {
    files: answering("needs-a-broken-one", "x", 'dependencies: ["init-throws"]'),
    code: "MISSING_DEPENDENCY",
    reason: /"init-throws"/,
  },
  "cycle-a": {
    files: answering("cycle-a", "x", 'dependencies: ["cycle-b"]'),
    code: "DEPENDENCY_CYCLE",
    reason: /cycle-a → cycle-b → cycle-a/,
  },
  "cycle-b": {
    files: answering("cycle-b", "x", 'dependencies: ["cycle-a"]'),
    code: "DEPENDENCY_CYCLE",
    reason: /cycle-b → cycle-a → cycle-b/,
  },
  "needs-itself": {
    files: answering("needs-itself", "x", 'dependencies: ["needs-itself"]'),
    code: "DEPENDENCY_CYCLE",
    reason: /needs-itself → needs-itself/,
  },
  "init-throws": {
    files: init('throw new Error("init says no");', "init-throws"),
    code: "INIT_FAILED",
    reason: /init says no/,
  },
  "init-rejects": {
    files: init('return Promise.reject(new Error("init rejects"));', "init-rejects"),
    code: "INIT_FAILED",
    reason: /init rejects/,
  },
  "init-rejects-later": {
    files: init('return Bun.sleep(5).then(() => { throw new Error("in the end"); });', "init-rejects-later"),
    code: "INIT_FAILED",
    reason: /in the end/,
  },
  "exit-at-import": {
    files: "process.exit(0);",
    code: "IMPORT_FAILED",
    reason: /process\.exit\(\) is not available/,
  },
  "exit-by-import": {
    files: 'import { exit } from "node:process"; exit(0);',
    code: "PROCESS_ENDED",
    reason: /ended the process that checked it \(exit code 0\)/,
  },
  "exit-by-global": { files: "globalThis.process.exit(3);", code: "PROCESS_ENDED", reason: /exit code 3/ },
  "abort-at-import": {
    files: 'import process from "node:process"; process.abort();',
    code: "PROCESS_ENDED",
    reason: /signal SIG/,
  },
  "kills-its-process": {
    files: 'process.kill(process.pid, "SIGKILL");',
    code: "PROCESS_ENDED",
    reason: /signal SIGKILL/,
  },
  "exit-in-init": {
    files: init("globalThis.process.exit(1);", "exit-in-init"),
    code: "PROCESS_ENDED",
    reason: /init\(\) ended the process/,
  },
};

/** Folders whose code never comes to an end; they are known to be broken only when their time is up. */
const ENDLESS: Record<string, Broken> = {
  "loop-at-import": {
    files: "while (true) {}",
    code: "IMPORT_TIMEOUT",
    reason: /importing index\.ts did not finish/,
  },
  "await-for-ever": {
    files: "await new Promise(() => {});",
    code: "IMPORT_TIMEOUT",
    reason: /importing index\.ts did not finish/,
  },
  "loop-in-init": {
    files: init("while (true) {}", "loop-in-init"),
    code: "INIT_TIMEOUT",
    reason: /init\(\)/,
  },
  "init-never-settles": {
    files: init("return new Promise(() => {});", "init-never-settles"),
    code: "INIT_TIMEOUT",
    reason: /init\(\)/,
  },
};

/** Folders that are loaded and then misbehave. */
const RESTLESS: Files = {
  "throws-in-a-timer/index.ts": `setInterval(() => { throw new Error("timer of restless"); }, 5);\n${answering("throws-in-a-timer", "still here")}`,
  "rejects-unhandled/index.ts": `setTimeout(() => { Promise.reject(new Error("rejection of restless")); }, 5);\n${answering("rejects-unhandled", "still here")}`,
  "emits-an-error/index.ts": `import { EventEmitter } from "node:events";\nsetTimeout(() => new EventEmitter().emit("error", new Error("emitter of restless")), 5);\n${answering("emits-an-error", "still here")}`,
  "exits-in-a-timer/index.ts": `setTimeout(() => globalThis.process.exit(9), 5);\nsetTimeout(() => process.exit(9), 5);\n${answering("exits-in-a-timer", "still here")}`,
};

const GOOD: Files = {
  "good-one/index.ts": answering("good-one", "first"),
  "good-two/index.ts": answering(
    "good-two",
    "second",
    'dependencies: ["good-one"], async init() { await Bun.sleep(1); }',
  ),
};

/** Names that no service folder may have, and what the file system makes of them. */
const HOSTILE = [
  "-rf",
  "sp ace",
  "a..b",
  "per%2fcent",
  "quo'te",
  "new\nline",
  "x".repeat(100),
  "ümläut",
  "$(id)",
];

const sandbox = new Sandbox(GOOD);
let reef: ReefProcess;
let health: { services: string[]; skipped: Array<{ name: string; code: string; error: string }> };
let firstAnswer: string;
let startedAfterMs: number;

/** Folders of which /health does not say yet whether they are served or why not. */
const missing = () => {
  const known = new Set([...health.services, ...health.skipped.map(({ name }) => name)]);
  const folders = [
    ...Object.keys({ ...GOOD, ...RESTLESS }).map((path) => path.split("/")[0] as string),
    "good-link",
  ];
  return [...Object.keys(BROKEN), ...Object.keys(ENDLESS), ...folders].filter((name) => !known.has(name));
};

beforeAll(async () => {
  sandbox.services(RESTLESS);
  for (const [name, { files }] of Object.entries({ ...BROKEN, ...ENDLESS })) {
    const all = typeof files === "string" ? { "index.ts": files } : files;
    sandbox.services(
      Object.fromEntries(Object.entries(all).map(([path, text]) => [`${name}/${path}`, text])),
    );
  }
  for (const name of HOSTILE) mkdirSync(join(sandbox.servicesDir, name));
  const target = sandbox.write("elsewhere/good-link/index.ts", answering("good-link", "third"));
  symlinkSync(join(target, ".."), join(sandbox.servicesDir, "good-link"));
  symlinkSync(join(sandbox.root, "nowhere"), join(sandbox.servicesDir, "broken-link"));
  symlinkSync(join(sandbox.servicesDir, "link-to-itself"), join(sandbox.servicesDir, "link-to-itself"));
  sandbox.services({
    "a-file.txt": "not a service",
    ".hidden/index.ts": "throw 1;",
    "node_modules/x/index.ts": "throw 1;",
  });
  sandbox.services({ "index-is-a-folder/index.ts/x": "" });
  chmodSync(sandbox.write("services/a-program.sh", "#!/bin/sh\nexit 1\n"), 0o755);

  const before = performance.now();
  reef = await new ReefProcess(sandbox, { env: { REEF_INIT_TIMEOUT: "4000" } }).listening();
  startedAfterMs = Math.round(performance.now() - before);
  firstAnswer = await (await reef.call("/health")).text();
  await eventually(async () => {
    health = (await (await reef.call("/health")).json()) as typeof health;
    return missing().length === 0;
  }, "a verdict on every folder").catch((error) => {
    throw new Error(`${error.message}: ${missing().join(", ")}\n${reef.output}`);
  });
}, 120_000);

afterAll(async () => {
  console.log(
    `listening after ${startedAfterMs} ms with ${Object.keys(BROKEN).length + Object.keys(ENDLESS).length} broken folders`,
  );
  await reef?.stop("SIGKILL");
  sandbox.remove();
});

test("there are enough ways to be broken", () => {
  expect(Object.keys(BROKEN).length + Object.keys(ENDLESS).length).toBeGreaterThanOrEqual(28);
});

test("the server listens before the endless ones have run out of time", () => {
  for (const name of Object.keys(ENDLESS)) expect(firstAnswer).not.toContain(name);
});

test.each([
  ["good-one", "first"],
  ["good-two", "second"],
  ["good-link", "third"],
  ...Object.keys(RESTLESS).map((path) => [path.split("/")[0] as string, "still here"]),
])("%s answers", async (name, text) => {
  // On a slow machine some join a moment after the server listens.
  const reply = await eventually(async () => {
    const attempt = await reef.call(`/${name}`);
    return attempt.status === 404 ? undefined : attempt;
  }, `an answer of ${name}`);
  expect([reply.status, await reply.text()]).toEqual([200, text]);
  expect(((await (await reef.call("/health")).json()) as typeof health).services).toContain(name);
});

describe.each(Object.entries({ ...BROKEN, ...ENDLESS }))("%s", (name, { code, reason }) => {
  test(`is skipped as ${code}, with its reason in /health and in the log`, async () => {
    const report = health.skipped.find((one) => one.name === name);
    expect(report).toMatchObject({ name, code });
    expect(report?.error).toMatch(reason);
    expect(report?.error).not.toContain("\n");
    const line = reef.output.split("\n").find((text) => text.includes(`services/${name}: skipped:`));
    expect(line).toContain(`[${code}]`);
    expect(line).toMatch(reason);
    if (name !== "reserved-name") expect((await reef.call(`/${name}`)).status).toBe(404);
  });
});

test.each(HOSTILE.map((name) => [name]))("the folder %p is refused by its name", (name) => {
  const report = health.skipped.find((one) => one.name === name);
  expect(report?.code).toBe("BAD_FOLDER");
});

test.each([
  ["broken-link", "UNREADABLE", /the link is broken/],
  ["link-to-itself", "UNREADABLE", /./],
  ["index-is-a-folder", "NO_ENTRY", /index\.ts/],
])("%s is skipped as %s", (name, code, reason) => {
  const report = health.skipped.find((one) => one.name === name);
  expect(report).toMatchObject({ code });
  expect(report?.error).toMatch(reason);
});

test("files beside the folders, dot-folders and node_modules are no services", () => {
  const text = JSON.stringify(health);
  for (const name of ["a-file.txt", "a-program.sh", ".hidden", "node_modules"])
    expect(text).not.toContain(name);
});

test("every broken folder has exactly one line in the log", () => {
  const skipped = reef.output.split("\n").filter((line) => line.includes(": skipped: "));
  for (const name of [...Object.keys(BROKEN), ...Object.keys(ENDLESS)]) {
    expect([name, skipped.filter((line) => line.includes(`services/${name}: `)).length]).toEqual([name, 1]);
  }
});

test.each([
  ["throws-in-a-timer", "timer of restless"],
  ["rejects-unhandled", "rejection of restless"],
  ["emits-an-error", "emitter of restless"],
  ["exits-in-a-timer", "process.exit()"],
])("late errors of %s are in the log under its name", async (name, text) => {
  await eventually(() =>
    reef.output.split("\n").some((line) => line.includes(` ${name}: `) && line.includes(text)),
  );
});

test("a request while everything is said and done is answered, and the server ends as it should", async () => {
  expect(await (await reef.call("/good-two")).text()).toBe("second");
  expect(await reef.stop()).toBe(0);
}, 30_000);
