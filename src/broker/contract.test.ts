import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BunPlugin } from "bun";
import { kunkunCommandPlugin } from "./build.js";
import { failure, testBroker } from "./testing/fixtures.js";

/** A plugin and a consumer as an author for the other system writes them: own names, own imports, own validation. */
const setup = testBroker();
const provider = join(setup.folder, "provider");
const consumer = join(setup.folder, "consumer");
const numbers = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};
const text = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const result = (type: string) => ({ type: "object", properties: { result: { type } } });

beforeAll(async () => {
  for (const folder of [provider, consumer]) mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(
    join(provider, "package.json"),
    JSON.stringify({
      name: "math-for-everyone",
      kunkun: {
        identifier: "com.example.math-plugin",
        services: [
          {
            name: "math",
            description: "Arithmetic",
            main: "dist/node/MathService.js",
            serviceMode: "node-headless",
            methods: [
              { name: "add", description: "Sum", inputSchema: numbers, outputSchema: result("number") },
              {
                name: "multiply",
                description: "Product",
                inputSchema: numbers,
                outputSchema: result("number"),
              },
            ],
          },
          {
            name: "text",
            description: "Texts",
            main: "dist/node/MathService.js",
            serviceMode: "node-headless",
            methods: [
              {
                name: "reverse",
                description: "Backwards",
                inputSchema: text,
                outputSchema: result("string"),
              },
            ],
          },
        ],
      },
    }),
  );
  writeFileSync(
    join(provider, "src/MathService.ts"),
    `import type { ServiceDefinition } from "@kunkunsh/api/runtime";
    import * as v from "valibot";
    const Numbers = v.object({ a: v.number(), b: v.number() });
    export default {
      services: {
        math: {
          async add(raw: unknown) { const { a, b } = v.parse(Numbers, raw); return { result: a + b }; },
          async multiply(raw: unknown) { const { a, b } = v.parse(Numbers, raw); return { result: a * b }; },
          async power(raw: unknown) { const { a, b } = v.parse(Numbers, raw); return { result: a ** b }; },
        },
        text: {
          async reverse(raw: unknown) {
            const { text } = v.parse(v.object({ text: v.string() }), raw);
            return { result: [...text].reverse().join("") };
          },
        },
      },
      onInit() { console.log("ready for sums"); },
      onDestroy() { console.log("no more sums"); },
    } satisfies ServiceDefinition;`,
  );
  mkdirSync(join(provider, "node_modules"));
  symlinkSync(join(import.meta.dir, "../../node_modules/valibot"), join(provider, "node_modules/valibot"));
  await build(provider, "MathService.ts");
  rmSync(join(provider, "node_modules"), { recursive: true });
  await setup.broker.load(provider);

  writeFileSync(
    join(consumer, "package.json"),
    JSON.stringify({
      name: "consumer",
      kunkun: {
        identifier: "com.example.consumer",
        services: [
          {
            name: "demo",
            main: "dist/node/Consumer.js",
            methods: [{ name: "plain" }, { name: "typed" }, { name: "impatient" }],
          },
        ],
      },
    }),
  );
  writeFileSync(
    join(consumer, "src/Consumer.ts"),
    `import { createServiceClient, services } from "@kunkunsh/api";
    interface MathService {
      add(a: number, b: number): Promise<{ result: number }>;
      multiply(a: number, b: number): Promise<{ result: number }>;
    }
    const client = createServiceClient<MathService>("com.example.math-plugin", "math");
    export default { services: { demo: {
      plain: () => services.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 }),
      async typed() { const { result } = await client.multiply(5, 3); return result; },
      impatient: () => services.call("com.example.math-plugin", "math", "add", { a: 1, b: 1 }, { timeout: 5000 }),
    } } };`,
  );
  await build(consumer, "Consumer.ts");
  await setup.broker.load(consumer);
});
afterAll(async () => {
  await setup.close();
});

async function build(folder: string, entry: string): Promise<void> {
  await Bun.build({
    entrypoints: [join(folder, "src", entry)],
    outdir: join(folder, "dist/node"),
    target: "node",
    format: "esm",
    minify: true,
    plugins: [kunkunCommandPlugin({ mode: "service" }) as BunPlugin],
    throw: true,
  });
}

const call = (service: string, method: string, input: unknown) =>
  setup.broker.call("com.example.math-plugin", service, method, input);

test("both services of the one built file answer", async () => {
  expect(await call("math", "add", { a: 5, b: 3 })).toEqual({ result: 8 });
  expect(await call("text", "reverse", { text: "reef" })).toEqual({ result: "feer" });
});

test("a method that is implemented but not declared cannot be called", async () => {
  expect((await failure(call("math", "power", { a: 2, b: 3 }))).status).toBe(404);
});

test("a consumer calls plainly, typed and with a timeout", async () => {
  const demo = (method: string) => setup.broker.call("com.example.consumer", "demo", method, {});
  expect(await demo("plain")).toEqual({ result: 8 });
  expect(await demo("typed")).toBe(15);
  expect(await demo("impatient")).toEqual({ result: 2 });
});

test("different callers get workers of their own", () => {
  const keys = setup.broker.workers().filter(({ service }) => service === "com.example.math-plugin/math");
  expect(new Set(keys.map(({ permissions }) => permissions)).size).toBe(keys.length);
  expect(new Set(keys.map(({ pid }) => pid)).size).toBe(keys.length);
});

test("the hooks run, and what they print is in the plugin's log", async () => {
  setup.broker.unload("com.example.math-plugin");
  while (!setup.logs.some(({ line }) => line === "no more sums")) await Bun.sleep(5);
  expect(setup.logs).toContainEqual({
    pluginId: "com.example.math-plugin",
    service: "math",
    stream: "stdout",
    line: "ready for sums",
  });
});

test("the build plugin refuses other modes", () => {
  expect(() => kunkunCommandPlugin({ mode: "ui" as "service" })).toThrow("service");
});
