import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildExtension } from "../../src/agent/index.js";
import { Sandbox } from "../support/sandbox.js";
import { type Runtime, runSession, type SessionReport } from "./agents.js";

/** What fails without anybody waiting for it, by the name of the service whose tool starts it. */
const FORGOTTEN: Record<string, string> = {
  text: `void Promise.reject("a text");`,
  nothing: "void Promise.reject();",
  object: "void Promise.reject({ code: 1 });",
  thrown_text: `void (async () => { await null; throw "thrown"; })();`,
  fetch: `void fetch("http://127.0.0.1:9/");`,
  fetch_in_async: `void (async () => { await fetch("http://127.0.0.1:9/"); })();`,
  timeout: `void fetch(silent, { signal: AbortSignal.timeout(1) });`,
  file: `void readFile("/nonexistent");`,
  files: `void Promise.all([readFile("/nonexistent"), readFile("/nonexistent/too")]);`,
  json: `void new Response("{").json();`,
  callback: `fs.readFile("/nonexistent", () => { throw new Error("in a callback"); });`,
  callback_text: `fs.readFile("/nonexistent", () => { throw "in a callback"; });`,
  abort: `const own = new AbortController();
    own.signal.addEventListener("abort", () => { throw new Error("in a listener"); }); own.abort();`,
  aborted: `AbortSignal.timeout(1).addEventListener("abort", () => { throw "in a listener"; });`,
  stream: `fs.createReadStream("/nonexistent");`,
  child: `spawn("/nonexistent");`,
  socket: `net.connect(9, "127.0.0.1");`,
  request: `http.get("http://127.0.0.1:9/");`,
  api: `void client.api("GET", "/nothing");`,
  timer: `setTimeout(() => { throw "in a timer"; }, 1);`,
};

const prelude = `import fs from "node:fs"; import { readFile } from "node:fs/promises";
  import { spawn } from "node:child_process"; import net from "node:net"; import http from "node:http";
  const silent = process.env.VERS_INFRA_URL + "/silent";`;

const forgetting = (name: string, start: string) => `${prelude}
  export default { name: "${name}", registerTools(pi, client) {
    pi.registerTool({ name: "${name}_work", label: "", description: "", parameters: {}, async execute() {
      ${start}
      return client.ok("${name}"); } }); } };`;

/** What fails when the agent aborts what runs. */
const ON_ABORT: Record<string, string> = {
  text: `signal.addEventListener("abort", () => { throw "a text"; });`,
  rejection: `signal.addEventListener("abort", async () => { throw new Error("in an async listener"); });`,
  property: `signal.onabort = () => { throw new Error("in a property"); };`,
  combined: `AbortSignal.any([signal]).addEventListener("abort", () => { throw "in a combined one"; });`,
  fetch: "void fetch(silent, { signal });",
};

/** Where it gets the signal from: an event, and what has it there. */
const SIGNALS: [event: string, signal: string][] = [
  ["tool_call", "ctx.signal"],
  ["session_before_compact", "event.signal"],
  ["session_before_tree", "event.signal"],
];

const aborted = SIGNALS.flatMap(([event, signal]) =>
  Object.entries(ON_ABORT).map(([what, code]) => {
    const name = `${event}_${what}`;
    const source = `${prelude}
      export default { name: "${name}", registerBehaviors(pi) {
        pi.on("${event}", (event, ctx) => { const signal = ${signal}; ${code} }); } };`;
    return { name, source };
  }),
);

/** Its tool ends the run, and listens for that by the signal of its context. */
const ending = `export default { name: "ending", registerTools(pi, client) {
  pi.registerTool({ name: "ending_work", label: "", description: "", parameters: {},
    async execute(_id, _params, signal, _onUpdate, ctx) {
      ctx.signal.addEventListener("abort", () => { throw "of its own doing"; });
      ctx.abort();
      return client.ok(String(ctx.signal === signal && signal.aborted)); } }); } };`;

const forgetful = `void Promise.reject("at the top");
  export default { name: "forgetful", registerTools(pi, client) {
    pi.registerTool({ name: "forgetful_shout", label: "", description: "", parameters: {},
      async execute() { pi.events.emit("shout", undefined); return client.ok(""); } });
    void Promise.reject("while it registers");
    pi.registerTool({ name: "forgetful_waits", label: "", description: "", parameters: {},
      execute: (_id, _params, signal, _onUpdate, ctx) => new Promise((resolve) => {
        signal.addEventListener("abort", () => { resolve(client.ok("aborted")); throw "when it is aborted"; });
        setTimeout(() => ctx.abort(), 20); }) });
  }, registerBehaviors(pi) { pi.on("turn_start", () => { void Promise.reject("in a handler"); }); },
  widget: { getLines() { void Promise.reject("in a widget"); return []; } } };`;

/** Another extension, or pi itself: what it forgets is none of Reef's business. `start` says when it has. */
const other = (start: string) => `import { readFile } from "node:fs/promises"; import fs from "node:fs";
  const start = (forgotten) => { ${start} };
  export default (pi) => {
    pi.events.on("shout", () => start(() => undefined));
    pi.registerTool({ name: "other_forgets", label: "", description: "", parameters: {}, async execute() {
      await new Promise(start); return { content: [], details: {} }; } });
  };`;

const reports = (names: readonly string[]) => names.map((name) => `[reef] unhandled error in ${name}: `);
/** Which services left something unattended; one that did so twice is there twice. */
const reported = (notifications: readonly { message: string }[]) =>
  notifications
    .flatMap(({ message }) => /^\[reef\] unhandled error in (\w+): /.exec(message)?.[1] ?? [])
    .toSorted();

const saidIn = ({ notifications }: SessionReport, stderr: string) =>
  notifications.map(({ message }) => message).join("\n") + stderr;

let sandbox: Sandbox;
let extension: string;
let aborting: string;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: ({ url }) =>
    url.endsWith("/silent")
      ? new Promise<Response>(() => undefined)
      : Response.json({ error: "no" }, { status: 404 }),
});
const env = { VERS_INFRA_URL: `http://127.0.0.1:${server.port}` };

/** Writes the extension of these services. */
async function extensionOf(file: string, services: Record<string, string>): Promise<string> {
  const folder = (name: string) => `${file}/${name}`;
  sandbox.services(
    Object.fromEntries(Object.entries(services).map(([name, code]) => [`${folder(name)}/index.ts`, code])),
  );
  const sources = Object.keys(services).map((name) => ({
    name,
    dir: `${sandbox.servicesDir}/${folder(name)}`,
  }));
  return sandbox.write(`${file}.js`, (await buildExtension(sources)).code);
}

beforeAll(async () => {
  sandbox = new Sandbox({});
  const each = Object.entries(FORGOTTEN).map(([name, start]) => [name, forgetting(name, start)]);
  extension = await extensionOf("extension", { forgetful, ...Object.fromEntries(each) });
  const all = aborted.map(({ name, source }) => [name, source]);
  aborting = await extensionOf("aborting", { ending, ...Object.fromEntries(all) });
});
afterAll(async () => {
  await server.stop(true);
  sandbox.remove();
});

describe.each<Runtime>(["node", "bun"])("on %s", (runtime) => {
  test("whatever a service forgets is reported, and its agent goes on", async () => {
    const names = Object.keys(FORGOTTEN);
    const calls = names.map((name) => ({ name: `${name}_work` }));
    const until = [...reports(names), "in a handler", "in a widget"];
    const { report, stderr } = await runSession(runtime, { extensions: [extension], calls, until }, env);
    expect(report.results.map(({ text, isError }) => [text, isError])).toEqual(
      names.map((name) => [name, false]),
    );
    expect(reported(report.notifications).filter((name) => name !== "forgetful")).toEqual(names.toSorted());
    const said = saidIn(report, stderr);
    for (const reason of ["a text", "ENOENT", "in a callback", "at the top", "in a handler", "in a widget"]) {
      expect(said).toContain(reason);
    }
    expect(said).toContain("unhandled error in forgetful: while it registers");
  });

  test("a listener that throws when its tool is aborted costs nothing", async () => {
    const request = { extensions: [extension], calls: [{ name: "forgetful_waits" }] };
    const { report } = await runSession(runtime, request, env);
    expect(report.results).toEqual([{ name: "forgetful_waits", isError: false, text: "aborted" }]);
  });

  test("what a service does when the agent aborts what runs costs nothing, whoever gave it the signal", async () => {
    const names = ["ending", ...aborted.map(({ name }) => name)];
    const { report } = await runSession(
      runtime,
      {
        extensions: [aborting],
        calls: [{ name: "ending_work" }],
        aborted: ["session_before_compact", "session_before_tree"],
        until: reports(names),
      },
      env,
    );
    expect(report.results).toEqual([{ name: "ending_work", isError: false, text: "true" }]);
    expect(reported(report.notifications)).toEqual(names.toSorted());
  });

  test.each([
    ["a rejection", `void Promise.reject("not Reef's"); forgotten();`, "not Reef's"],
    [
      "an engine's error",
      `const reading = readFile("/nonexistent"); void reading.then(String); reading.catch(forgotten);`,
      "ENOENT",
    ],
    ["an exception", `setTimeout(() => { forgotten(); throw new Error("not Reef's"); }, 1);`, "not Reef's"],
    [
      "a callback's text",
      `fs.readFile("/nonexistent", () => { forgotten(); throw "not Reef's"; });`,
      "not Reef's",
    ],
  ])("%s of another extension ends it as without Reef", async (_what, start, message) => {
    const foreign = sandbox.write(`other-${runtime}.ts`, other(start));
    for (const extensions of [[foreign], [extension, foreign]]) {
      const ending = runSession(runtime, { extensions, calls: [{ name: "other_forgets" }] }, env);
      const { message: said } = await ending.then(
        () => expect.unreachable("the agent went on"),
        (error: Error) => error,
      );
      expect(said).toStartWith("the agent ended with 1:");
      expect(said).toContain(message);
    }
  });

  test("so does what another extension forgets when a service calls it", async () => {
    const foreign = sandbox.write(`other-${runtime}.ts`, other(`void Promise.reject("called by it");`));
    const request = { extensions: [extension, foreign], calls: [{ name: "forgetful_shout" }] };
    await expect(runSession(runtime, request, env)).rejects.toThrow("called by it");
  });
});

test("a Bun without graphs still knows exceptions by where they are, and errors by their stack", async () => {
  const source = `import fs from "node:fs";
      export default { name: "careless", registerTools(pi, client) {
        pi.registerTool({ name: "careless_work", label: "", description: "", parameters: {}, async execute() {
          fs.readFile("/nonexistent", () => { throw "in a callback"; });
          fs.createReadStream("/nonexistent");
          void Promise.reject(new Error("with a stack"));
          void Promise.reject(Object.assign(new Error("from elsewhere", { cause: new Error("from here") }), { stack: "" }));
          return client.ok("fine"); } }); } };`;
  const graphless = await extensionOf("careless", { careless: source });
  const code = await Bun.file(graphless).text();
  await Bun.write(graphless, code.replaceAll("ModuleGraph", "MissingGraph"));
  const expected = ["unhandled error in careless: in a callback", "ENOENT", "with a stack", "from elsewhere"];
  const request = { extensions: [graphless], calls: [{ name: "careless_work" }], until: expected };
  const { report, stderr } = await runSession("bun", request);
  expect(report.results).toEqual([{ name: "careless_work", isError: false, text: "fine" }]);
  expect(report.notifications.map(({ message }) => message)).toContain(
    "[reef] unhandled error in careless: in a callback",
  );
  for (const reason of expected) expect(saidIn(report, stderr)).toContain(reason);
});
