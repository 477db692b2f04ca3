import { expect, test } from "bun:test";
import { describeEnforcement, type Provider, remember, trendOf } from "./broker.js";

const counted = (calls: number, mean: number): Provider[] => [
  {
    id: "math",
    kind: "plugin",
    name: "",
    version: "1",
    description: "",
    permissions: {},
    services: [
      {
        name: "s",
        description: "",
        methods: [
          {
            name: "add",
            description: "",
            inputSchema: {},
            outputSchema: {},
            stats: { calls, errors: {}, latency: { mean, p50: 0, p95: 0, p99: 0, max: 0 } },
          },
        ],
      },
    ],
  },
];

test("each look at the counters that finds new calls adds their mean latency", () => {
  remember(counted(2, 10), 1000);
  remember(counted(2, 10), 2000);
  remember(counted(4, 20), 3000);
  // The broker has been reloaded and counts anew.
  remember(counted(1, 7), 4000);
  expect(trendOf("math/s/add")).toEqual([
    [1, 10],
    [3, 30],
    [4, 7],
  ]);
  expect(trendOf("math/s/none")).toEqual([]);
});

test.each([
  ["full", "scoped", "enforced by the operating system"],
  [
    "partial",
    "scoped",
    "enforced by the operating system, except network: plugins that request network access are refused",
  ],
  ["none", "scoped", "not enforceable on this machine; plugins with scoped permissions are refused"],
  ["none", "required", "not enforceable on this machine; all plugins are refused"],
  ["partial", "off", "not enforced (REEF_BROKER_ENFORCEMENT=off)"],
] as const)(
  "permissions that are enforced at the level %s in the mode %s are described in words",
  (level, mode, words) => {
    expect(describeEnforcement({ level, mode, reason: "", landlock: 0 })).toBe(words);
  },
);
