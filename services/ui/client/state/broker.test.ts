import { expect, test } from "bun:test";
import { type Provider, remember, trendOf } from "./broker.js";

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
