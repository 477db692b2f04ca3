import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExtension, buildTried } from "../../src/agent/index.js";
import { type Runtime, runPi, runSession } from "./agents.js";
import { BAD_AT_LOAD, BAD_IN_SESSION, LOST, UNPARSABLE } from "./hostile-services.js";
import { startModelServer } from "./model-server.js";

const RUNTIMES: Runtime[] = ["node", "bun"];
const all = { ...BAD_AT_LOAD, ...LOST, ...UNPARSABLE, ...BAD_IN_SESSION };

let scratch: string;
let extension: string;
let leftOut: string[];
const sources = () => Object.keys(all).map((name) => ({ name, dir: join(scratch, name) }));

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "reef-hostile-"));
  for (const [name, code] of Object.entries(all)) {
    mkdirSync(join(scratch, name));
    await Bun.write(join(scratch, name, "index.ts"), code);
  }
  const bundle = await buildExtension(sources());
  leftOut = bundle.leftOut.map(({ name }) => name);
  extension = join(scratch, "extension.js");
  await Bun.write(extension, bundle.code);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("what cannot be parsed is left out of the file and named", async () => {
  expect(leftOut).toEqual(["syntax"]);
  const code = await Bun.file(extension).text();
  const imports = [...code.matchAll(/(?:from|import)\s*\(?["']([^"']+)["']/g)].map(([, path]) => path);
  const required = [...code.matchAll(/require\(\\?["']([^"'\\]+)/g)].map(([, path]) => path);
  expect(required).toContain("node:fs");
  expect([...imports, ...required].filter((path) => !path?.startsWith("node:"))).toEqual([]);
});

test("what cannot be loaded is found out before any agent has to, and named with its reason", async () => {
  const bundle = await buildTried(sources());
  expect(Object.fromEntries(bundle.leftOut.map(({ name, reason }) => [name, reason]))).toEqual({
    syntax: expect.stringContaining("index.ts:1:"),
    thrower: "not today",
    waiter: expect.stringContaining("did not load in time"),
    nothing: expect.stringContaining("not a service"),
  });
  expect(bundle.services).toEqual([...Object.keys(BAD_AT_LOAD), ...Object.keys(BAD_IN_SESSION)].toSorted());
});

describe.each(RUNTIMES)("in a session on %s", (runtime) => {
  test("each costs only itself", async () => {
    const calls = [
      ...[...Object.keys(BAD_AT_LOAD), "registrar"].map((name) => ({ name: `${name}_work` })),
      ...["throw", "reject", "nothing", "error", "forget", "server", "dotted_name"].map((verb) => ({
        name: `tools_${verb}`,
      })),
      { name: "fields_work" },
    ];
    // Nobody listens there: what the services do is their own doing.
    const env = { VERS_INFRA_URL: "http://127.0.0.1:9" };
    const { report, stderr, files, outside } = await runSession(
      runtime,
      { extensions: [extension], calls },
      env,
    );
    expect(report.loadErrors).toEqual([]);
    expect(report.errors).toEqual([]);
    expect(report.results.map(({ name, isError, text }) => [name, isError ? "error" : "ok", text])).toEqual([
      ...[...Object.keys(BAD_AT_LOAD), "registrar"].map((name) => [`${name}_work`, "ok", `${name} works`]),
      ["tools_throw", "error", "thrown by a tool"],
      ["tools_reject", "error", "rejected by a tool"],
      ["tools_nothing", "ok", "done"],
      ["tools_error", "error", "an error made by err"],
      ["tools_forget", "ok", "fine"],
      ["tools_server", "error", expect.stringContaining("bun:sqlite")],
      ["tools_dotted_name", "ok", "dots are fine"],
      ["fields_work", "ok", 'null\n{"a":1}'],
    ]);
    const said = report.notifications.map(({ message }) => message).join("\n") + stderr;
    for (const expected of [
      "thrower was skipped: not today",
      "waiter was skipped",
      "registrar, registerTools: in the middle of it",
      'tool "tools_throw" was skipped: the name is already used by "tools"',
      "a tool without a name",
      'tool "fields_work": promptSnippet is not a string',
      "behaviors, on session_start: thrown by a handler",
      "behaviors, on before_agent_start: no answer",
      "thrown by a timer",
      "rejected and forgotten",
      "widgets, widget: thrown by a widget",
    ]) {
      expect(said).toContain(expected);
    }
    expect(report.widgets.at(-1)?.lines).toContain(" red alert");
    expect(report.bindMs).toBeLessThan(1000);
    expect(files).toEqual([]);
    expect(outside).toBe("");
  });

  test("the process answers and ends by itself", async () => {
    const model = startModelServer({ name: "timers_work", arguments: {} });
    try {
      const { code, stdout, files } = await runPi(runtime, extension, model.url);
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "All done." });
      expect(model.results.join()).toContain("timers works");
      expect(files).toEqual([]);
    } finally {
      await model.stop();
    }
  });

  test("a result that is none reaches the model, and the process goes on", async () => {
    const model = startModelServer({ name: "fields_work", arguments: {} });
    try {
      const { code, stdout } = await runPi(runtime, extension, model.url);
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "All done." });
      expect(model.results.join()).toContain("null");
    } finally {
      await model.stop();
    }
  });
});
