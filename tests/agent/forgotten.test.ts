import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildExtension } from "../../src/agent/index.js";
import { Sandbox } from "../support/sandbox.js";
import { type Runtime, runSession } from "./agents.js";

/** What fails without anybody waiting for it, by the name of the tool that starts it. */
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

const forgetful = `import fs from "node:fs"; import { readFile } from "node:fs/promises";
  import { spawn } from "node:child_process"; import net from "node:net"; import http from "node:http";
  void Promise.reject("at the top");
  const silent = process.env.VERS_INFRA_URL + "/silent";
  export default { name: "forgetful", registerTools(pi, client) {
    const tool = (name, start) => pi.registerTool({ name: "forgetful_" + name, label: name, description: name,
      parameters: {}, async execute() { start(); await new Promise((r) => setTimeout(r, 60)); return client.ok(name); } });
    ${Object.entries(FORGOTTEN)
      .map(([name, code]) => `tool("${name}", () => { ${code} });`)
      .join("\n")}
    tool("shout", () => pi.events.emit("shout", undefined));
    void Promise.reject("while it registers");
    pi.registerTool({ name: "forgetful_waits", label: "", description: "", parameters: {},
      execute: (_id, _params, signal, _onUpdate, ctx) => new Promise((resolve) => {
        signal.addEventListener("abort", () => { resolve(client.ok("aborted")); throw "when it is aborted"; });
        setTimeout(() => ctx.abort(), 20); }) });
  }, registerBehaviors(pi) { pi.on("turn_start", () => { void Promise.reject("in a handler"); }); },
  widget: { getLines() { void Promise.reject("in a widget"); return []; } } };`;

/** Another extension, or pi itself: what it forgets is none of Reef's business. */
const other = (start: string) => `import { readFile } from "node:fs/promises"; import fs from "node:fs";
  const start = () => { ${start} };
  export default (pi) => {
    pi.events.on("shout", start);
    pi.registerTool({ name: "other_forgets", label: "", description: "", parameters: {}, async execute() {
      start(); await new Promise((r) => setTimeout(r, 60)); return { content: [], details: {} }; } });
  };`;

let sandbox: Sandbox;
let extension: string;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: ({ url }) =>
    url.endsWith("/silent")
      ? new Promise<Response>(() => undefined)
      : Response.json({ error: "no" }, { status: 404 }),
});
const env = { VERS_INFRA_URL: `http://127.0.0.1:${server.port}` };

beforeAll(async () => {
  sandbox = new Sandbox({ "forgetful/index.ts": forgetful });
  const sources = [{ name: "forgetful", dir: `${sandbox.servicesDir}/forgetful` }];
  extension = sandbox.write("extension.js", (await buildExtension(sources)).code);
});
afterAll(async () => {
  await server.stop(true);
  sandbox.remove();
});

describe.each<Runtime>(["node", "bun"])("on %s", (runtime) => {
  test("whatever a service forgets is reported, and its agent goes on", async () => {
    const names = Object.keys(FORGOTTEN);
    const calls = names.map((name) => ({ name: `forgetful_${name}` }));
    const { report, stderr } = await runSession(runtime, { extensions: [extension], calls }, env);
    expect(report.results.map(({ text, isError }) => [text, isError])).toEqual(
      names.map((name) => [name, false]),
    );
    const said = report.notifications.map(({ message }) => message).join("\n") + stderr;
    for (const reason of ["a text", "ENOENT", "in a callback", "at the top", "in a handler", "in a widget"]) {
      expect(said).toContain(reason);
    }
    expect(said).toContain("forgetful left a failure unattended: while it registers");
  });

  test("a listener that throws when its tool is aborted costs nothing", async () => {
    const request = { extensions: [extension], calls: [{ name: "forgetful_waits" }] };
    const { report } = await runSession(runtime, request, env);
    expect(report.results).toEqual([{ name: "forgetful_waits", isError: false, text: "aborted" }]);
  });

  test.each([
    ["a rejection", `void Promise.reject("not Reef's");`, "not Reef's"],
    ["an engine's error", `void readFile("/nonexistent");`, "ENOENT"],
    ["an exception", `setTimeout(() => { throw new Error("not Reef's"); }, 1);`, "not Reef's"],
    ["a callback's text", `fs.readFile("/nonexistent", () => { throw "not Reef's"; });`, "not Reef's"],
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
  sandbox.services({
    "careless/index.ts": `import fs from "node:fs";
      export default { name: "careless", registerTools(pi, client) {
        pi.registerTool({ name: "careless_work", label: "", description: "", parameters: {}, async execute() {
          fs.readFile("/nonexistent", () => { throw "in a callback"; });
          fs.createReadStream("/nonexistent");
          void Promise.reject(new Error("with a stack"));
          void Promise.reject(Object.assign(new Error("from elsewhere", { cause: new Error("from here") }), { stack: "" }));
          await new Promise((r) => setTimeout(r, 60));
          return client.ok("fine"); } }); } };`,
  });
  const sources = [{ name: "careless", dir: `${sandbox.servicesDir}/careless` }];
  const { code } = await buildExtension(sources);
  const careless = sandbox.write("careless.js", code.replaceAll("ModuleGraph", "MissingGraph"));
  const request = { extensions: [careless], calls: [{ name: "careless_work" }] };
  const { report } = await runSession("bun", request);
  expect(report.results).toEqual([{ name: "careless_work", isError: false, text: "fine" }]);
  expect(report.notifications.map(({ message }) => message)).toContain(
    "[reef] careless left a failure unattended: in a callback",
  );
});
