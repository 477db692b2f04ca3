import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Runtime, runSession } from "./agents.js";
import { startReef, type TestReef } from "./reef.js";

/** A service whose tools have dotted names and their spellings, of its own and provided ones. */
const service = (name: string, own: string[], provided: string[]) => `
  const plain = { type: "object", properties: {} };
  export default { name: "${name}",
    toolProvider: {
      listTools: () => ${JSON.stringify(provided)}.map((name) =>
        ({ name, description: name, owner: "somebody", inputSchema: plain })),
      callTool: async (name) => name,
    },
    registerTools(pi, client) {
      for (const name of ${JSON.stringify(own)}) {
        pi.registerTool({ name, label: name, description: name, parameters: plain, execute: async () => client.ok(name) });
      }
    } };`;

let reef: TestReef;
beforeAll(async () => {
  const provided = ["plugin__a.b__s__who", "plugin__a_b__s__who"];
  reef = await startReef(["services/agent", "services/services"], {
    "wn/index.ts": service("wn", ["wn_a.b", "wn_a_b", "wn_c.d", "wn_c:d", "wn_e.f"], provided),
    "other/index.ts": service("other", ["wn_e:f", "other_x"], []),
  });
});
afterAll(() => reef.stop());

const named = (names: string[]) => names.filter((name) => /^(?:wn|plugin|other)_/.test(name)).toSorted();

test.each<[Runtime, string]>([
  ["node", ""],
  ["bun", ""],
  ["bun", "?services=wn"],
])("on %s, a model sees all tools of /extension.js%s under the catalogue's names", async (runtime, query) => {
  const { tools } = await reef.json("/services/tools");
  const wire = new Map<string, string>(
    tools.map((tool: { name: string; wireName: string }) => [tool.wireName, tool.name]),
  );
  const expected = [...wire.keys()].filter(
    (name) => query === "" || !["wn_e:f", "other_x"].includes(String(wire.get(name))),
  );
  const calls = [...wire].filter(([, name]) => name.startsWith("wn_")).map(([name]) => ({ name }));
  const request = { extensions: [await reef.extension(query)], calls: query === "" ? calls : [] };
  const { report } = await runSession(runtime, request, reef.env);
  expect(named(report.tools)).toEqual(named(expected));
  expect(expected.length).toBeGreaterThan(6);
  for (const { name, text } of report.results) expect([name, text]).toEqual([name, wire.get(name) as string]);
});
