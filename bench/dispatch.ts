/** What auth, dispatch, counters and containment cost, beside a hand-written Bun.serve that does the same. */
import { type BenchServer, compare, finish, measure, report, roundsOr, spawnServer } from "./lib.js";
import { load } from "./load.js";

// A round is several turns: the speed of a shared machine changes within a second, by more than what is measured. But
// a turn is long against the time in which a process finds its way back into the caches that the others have used.
const REQUESTS = 15_000;
const TURNS = 2;
const CONNECTIONS = 32;
const rounds = roundsOr(9);
const headers = { Authorization: "Bearer bench-token", "Content-Type": "application/json" };
const body = JSON.stringify({ text: "x".repeat(1000) });

const script = (name: string) => new URL(`servers/${name}.ts`, import.meta.url).pathname;
const servers: Array<[string, BenchServer]> = [
  ["raw Bun.serve", await spawnServer(script("raw"))],
  ["plain Hono", await spawnServer(script("hono"))],
  ["Reef, 5 services", await spawnServer(script("reef"), ["5"], true)],
  ["Reef, 500 services", await spawnServer(script("reef"), ["500"], true)],
];

try {
  for (const [title, options] of [
    ["GET, tiny JSON", { headers }],
    ["POST, 1 KB of JSON", { method: "POST", headers, body }],
  ] as const) {
    const cases = servers.map(([name, server]) => ({
      name,
      round: () =>
        measure(server, REQUESTS, () =>
          load(server.port, {
            ...options,
            path: "/svc-0/items",
            requests: REQUESTS,
            connections: CONNECTIONS,
          }),
        ),
    }));
    report(title, await compare(cases, rounds, TURNS));
  }
  finish();
} finally {
  for (const [, server] of servers) await server.stop();
}
