/** A service whose tools change with each version; some have names that no model's provider takes. */
const LONG = "probe_a_name_that_is_longer_than_what_clients_with_a_prefix_of_their_own_take";

export const probeTools = (version: number) => [
  "probe_version",
  "probe.dotted",
  LONG,
  `probe_only_in_${version}`,
];

export const probeService = (version: number) => `
const plain = { type: "object", properties: { count: { type: "integer" } }, required: ["count"] };
export default {
  name: "probe",
  toolAnnotations: { probe_version: { readOnly: true } },
  toolProvider: {
    listTools: () => [{
      name: "plugin__com.example.math-plugin__math__add", description: "Adds", owner: "com.example.math-plugin",
      inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
    }],
    callTool: async (name, { a, b }, { agentName }) => ({ name, result: a + b, agentName }),
  },
  registerTools(pi, client) {
    for (const name of ${JSON.stringify(probeTools(version))}) {
      pi.registerTool({ name, label: name, description: "A probe", parameters: plain,
        async execute(_id, { count }) { return client.ok(["version ${version}", name, count, client.agentName].join(" ")); } });
    }
    pi.registerTool({ name: "probe_fails", label: "Fails", description: "Fails", parameters: {},
      async execute() { return client.err("on purpose"); } });
  },
};`;
