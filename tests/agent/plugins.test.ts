import { afterAll, beforeAll, expect, test } from "bun:test";
import { writePlugin } from "../../src/broker/testing/fixtures.js";
import { startReef, type TestReef } from "./reef.js";

const NAME = "plugin__com.example.math-plugin__math__add";
const pair = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};

let reef: TestReef;
beforeAll(async () => {
  reef = await startReef(["services/agent", "services/broker", "services/services"]);
});
afterAll(() => reef.stop());

const call = async (name: string, given: unknown) => {
  const body = JSON.stringify({ name, arguments: given });
  const response = await reef.fetch("/extension/call", { method: "POST", body });
  return [response.status, await response.json()];
};

test("a plugin's methods come into the catalogue, can be called, and go with the plugin", async () => {
  expect((await reef.json("/services/tools")).tools.some(({ name }: { name: string }) => name === NAME)).toBe(
    false,
  );
  writePlugin(reef.servicesDir, {
    id: "com.example.math-plugin",
    service: "math",
    methods: { add: { description: "Adds two numbers", inputSchema: pair } },
    code: "export default { services: { math: { add: async ({ a, b }) => ({ result: a + b }) } } };",
  });
  const store = reef.server.ctx.getStore<{ sync(): Promise<unknown> }>("broker");
  await store?.sync();
  const { tools } = await reef.json("/services/tools");
  expect(tools.find(({ name }: { name: string }) => name === NAME)).toMatchObject({
    wireName: "plugin__com_example_math-plugin__math__add",
    description: "Adds two numbers",
    inputSchema: pair,
    owner: { plugin: "com.example.math-plugin", via: "broker" },
  });
  expect(await (await reef.fetch("/extension.js")).text()).toContain(NAME);
  for (const name of [NAME, NAME.replaceAll(".", "_")]) {
    const [status, { content }] = await call(name, { a: 5, b: "3" });
    expect([status, JSON.parse(content[0].text)]).toEqual([200, { result: 8 }]);
  }
  expect(await call(NAME, { a: 5 })).toEqual([400, { error: expect.stringContaining("b") }]);
  reef.server.ctx.getStore<{ unload(id: string): boolean }>("broker")?.unload("com.example.math-plugin");
  expect((await call(NAME, { a: 5, b: 3 }))[0]).toBe(404);
  expect(await (await reef.fetch("/extension.js")).text()).not.toContain(NAME);
});
