/** A services folder that is nowhere near the checkout, and has no `node_modules` above it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { ReefProcess } from "./support/process.js";
import { Sandbox } from "./support/sandbox.js";

const own = resolve(import.meta.dir, "..", "services");
let sandbox: Sandbox;
let reef: ReefProcess;
beforeAll(async () => {
  sandbox = new Sandbox({
    // There is such a package, but nobody has installed it.
    "typo/index.ts": 'import "is-odd"; export default { name: "typo" };',
    "common/index.ts": `const { Hono } = require("hono");
      // Nobody else has asked for these.
      const names = ["@sinclair/typebox/errors", "hono/ssg", "hono/dev", "../../src/core/priority.js"];
      const required = names.map((name) => require(name));
      const routes = new Hono().get("/", async (c) => {
        const imported = await Promise.all(names.map((name) => import(name)));
        return c.json(names.map((_, n) => Object.keys(required[n]).map((key) => required[n][key] === imported[n][key])));
      });
      module.exports = { name: "common", routes };`,
    "apart/index.ts": `import { fork } from "node:child_process";
      import { Hono } from "hono";
      import { sourcePreload } from "../../src/core/preloads.js";
      const script = new URL("./script.ts", import.meta.url);
      const routes = new Hono();
      routes.get("/worker", async (c) => {
        const worker = new Worker(script.href, { preload: [sourcePreload] });
        const said = await new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => resolve(message);
        });
        worker.terminate();
        return c.json(said);
      });
      routes.get("/child", async (c) => {
        const child = fork(script.pathname, { execArgv: ["--preload", sourcePreload], env: process.env });
        return c.json(await new Promise((resolve) => child.on("message", resolve).on("exit", resolve)));
      });
      export default { name: "apart", routes };`,
    "apart/script.ts": `import { Type } from "@sinclair/typebox";
      import { Hono } from "hono";
      import { JsonFile } from "../../src/storage/index.js";
      const found = [Hono, Type.String, JsonFile].map((one) => typeof one);
      process.send ? process.send(found) : postMessage(found);`,
  });
  for (const name of ["services", "log"]) {
    cpSync(join(own, name), join(sandbox.servicesDir, name), { recursive: true, dereference: true });
  }
  reef = await new ReefProcess(sandbox).serving("services", "log", "common", "apart");
});
afterAll(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

test("what is imported there and not installed is not fetched", async () => {
  const { skipped } = (await (await reef.call("/health")).json()) as { skipped: unknown[] };
  expect(skipped).toMatchObject([
    { name: "typo", code: "IMPORT_FAILED", error: expect.stringContaining("Cannot find package 'is-odd'") },
  ]);
});

test("a service there is deployed with its tests, by a copy of the manager", async () => {
  const body = JSON.stringify({ name: "log" });
  const reply = await reef.call("/services/deploy", { method: "POST", body });
  expect(await reply.json()).toMatchObject({
    deployed: true,
    steps: [{}, { step: "test", status: "passed" }, {}, {}],
  });
});

test("what CommonJS there requires of the server's packages and source is what others import, also when it is the first", async () => {
  const same = (await (await reef.call("/common")).json()) as boolean[][];
  expect(same.every((keys) => keys.length > 0)).toBe(true);
  expect(new Set(same.flat())).toEqual(new Set([true]));
});

test.each(["worker", "child"])("a %s of a service there finds them with sourcePreload", async (kind) => {
  expect(await (await reef.call(`/apart/${kind}`)).json()).toEqual(["function", "function", "function"]);
});
