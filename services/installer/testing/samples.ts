/** Services for tests to install: small, but with everything a service can have. */

/** A service that says its version; `more` goes into its module. */
export function sampleService(name: string, version: string, more = ""): string {
  return `
import type { ServiceModule } from "../../src/core/types.js";
import { Hono } from "hono";
import { greeting } from "./lib/greeting.js";

const routes = new Hono()
  .get("/", (c) => c.json({ version: ${JSON.stringify(version)}, greeting }))
  .get("/_panel", (c) => c.html('<style>.panel-${name} { padding: 8px; }</style><div class="panel-${name}">${version}</div>'));

const service: ServiceModule = {
  name: ${JSON.stringify(name)},
  description: "A sample",
  routes,
  registerTools(pi, client) {
    pi.registerTool({
      name: "${name.replaceAll("-", "_")}_greet",
      label: "${name}: Greet",
      description: "Greets",
      parameters: { type: "object", properties: {} } as never,
      execute: async () => client.ok(greeting),
    });
  },
  ${more}
};
export default service;
`;
}

export const sampleTest = (name: string, expected: string) => `
import { expect, test } from "bun:test";
import { createTestHarness } from "../../src/core/testing.js";
import service from "./index.js";

test("says its version", async () => {
  const t = await createTestHarness({ services: [service] });
  const { data } = await t.json("/${name}", { auth: true });
  await t.cleanup();
  expect(data.version).toBe(${JSON.stringify(expected)});
});
`;

/** All files of a sample service, with a test that passes. */
export function sampleFiles(name: string, version: string, more = ""): Record<string, string> {
  return {
    "index.ts": sampleService(name, version, more),
    "lib/greeting.ts": `export const greeting = "hello from ${version}";\n`,
    [`${name}.test.ts`]: sampleTest(name, version),
    "README.md": `# ${name}\n`,
  };
}
