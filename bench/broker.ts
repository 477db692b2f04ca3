/**
 * Calls side by side with Moleculer and the bare platform, in interleaved rounds of one run.
 * `taskset -c 1 bun bench/broker.ts [--json] [--rounds=15]`: on one CPU, or the waking of idle CPUs drowns the rest.
 */
import { createServer } from "node:net";
import { join } from "node:path";
import { ServiceBroker } from "moleculer";
import { testBroker } from "../src/broker/testing/fixtures.js";
import { mathService } from "./broker-peers/moleculer-service.js";
import { roundsOr } from "./lib.js";

const rounds = roundsOr(15);
const TIMEOUT = 5_000;
const IN_FLIGHT = 64;

type Call = () => Promise<unknown>;

interface Subject {
  name: string;
  call: Call;
  calls: number;
  /** Microseconds a call, one round each. */
  times: number[];
}

const pair = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};
const sum = { type: "object", properties: { result: { type: "number" } }, required: ["result"] };

async function round(subject: Subject): Promise<void> {
  const { call, calls } = subject;
  const started = performance.now();
  for (let at = 0; at < calls; at++) await call();
  subject.times.push(((performance.now() - started) * 1_000) / calls);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const setup = testBroker();
const { broker } = setup;
broker.registerLocal("local", "math", {
  add: {
    inputSchema: pair,
    outputSchema: sum,
    handler: async ({ a, b }: { a: number; b: number }) => ({ result: a + b }),
  },
});
await setup.add({
  id: "remote",
  service: "math",
  methods: { add: { inputSchema: pair, outputSchema: sum } },
  code: "export default { services: { math: { async add({ a, b }) { return { result: a + b }; } } } };",
});

const moleculer = new ServiceBroker({ logger: false });
moleculer.createService(mathService);
await moleculer.start();

const [callerPort, calleePort] = [await freePort(), await freePort()];
const node = Bun.spawn(
  [
    process.execPath,
    join(import.meta.dir, "broker-peers/moleculer-node.ts"),
    `${calleePort}`,
    `127.0.0.1:${callerPort}/caller`,
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
await node.stdout.getReader().read();
const overTcp = new ServiceBroker({
  nodeID: "caller",
  logger: false,
  transporter: {
    type: "TCP",
    options: { udpDiscovery: false, port: callerPort, urls: `127.0.0.1:${calleePort}/callee` },
  },
});
await overTcp.start();
await overTcp.waitForServices("math", 20_000);

let lastId = 0;
const waiting = new Map<number, (value: unknown) => void>();
const child = Bun.spawn([process.execPath, join(import.meta.dir, "broker-peers/ipc-child.ts")], {
  stdio: ["ignore", "inherit", "inherit"],
  serialization: "json",
  ipc(message) {
    const [id, value] = message as [number, unknown];
    waiting.get(id)?.(value);
    waiting.delete(id);
  },
});
const bareIpc = () =>
  new Promise((resolve) => {
    waiting.set(++lastId, resolve);
    child.send([lastId, { a: 5, b: 3 }]);
  });

const subject = (name: string, calls: number, call: Call): Subject => ({ name, call, calls, times: [] });
const local = subject("in process: ours, validated in and out, with timeout", 50_000, () =>
  broker.call("local", "math", "add", { a: 5, b: 3 }, { timeout: TIMEOUT }),
);
const localPeer = subject("in process: Moleculer, validated in, with timeout", 50_000, () =>
  moleculer.call("math.add", { a: 5, b: 3 }, { timeout: TIMEOUT }),
);
const worker = subject("other process: ours, sandboxed, validated, with timeout", 4_000, () =>
  broker.call("remote", "math", "add", { a: 5, b: 3 }, { timeout: TIMEOUT }),
);
const bare = subject("other process: bare child IPC", 4_000, bareIpc);
const tcp = subject("other process: Moleculer over TCP, with timeout", 2_000, () =>
  overTcp.call("math.add", { a: 5, b: 3 }, { timeout: TIMEOUT }),
);
const together =
  (call: Call): Call =>
  () =>
    Promise.all(Array.from({ length: IN_FLIGHT }, call));
const workerMany = subject(`other process: ours, ${IN_FLIGHT} in flight`, 100, together(worker.call));
const bareMany = subject(`other process: bare child IPC, ${IN_FLIGHT} in flight`, 100, together(bareIpc));
const tcpMany = subject(`other process: Moleculer over TCP, ${IN_FLIGHT} in flight`, 100, together(tcp.call));
const subjects = [local, localPeer, worker, bare, tcp, workerMany, bareMany, tcpMany];

for (const one of subjects) await round(one);
for (const one of subjects) one.times.length = 0;
for (let at = 0; at < rounds; at++) {
  // Another order every round, so that nobody always follows the same neighbour.
  const shifted = subjects.map((_, index) => subjects[(index + at) % subjects.length] as Subject);
  for (const one of shifted) await round(one);
}

/** The median of the ratios within a round: what disturbs a round disturbs both of its sides. */
const ratio = (one: Subject, other: Subject) =>
  median(one.times.map((time, at) => time / (other.times[at] ?? time)));
const result = {
  bun: Bun.version,
  rounds,
  enforcement: (await broker.enforcement()).level,
  microseconds: Object.fromEntries(
    subjects.map(({ name, times }) => [name, Number(median(times).toFixed(2))]),
  ),
  ratios: {
    "in process, our rate to Moleculer's (wanted: at least 2)": Number(ratio(localPeer, local).toFixed(2)),
    "sandboxed call to bare IPC (wanted: at most 1.3)": Number(ratio(worker, bare).toFixed(2)),
    "Moleculer over TCP to sandboxed call (wanted: at least 3)": Number(ratio(tcp, worker).toFixed(2)),
    [`sandboxed call to bare IPC, ${IN_FLIGHT} in flight`]: Number(ratio(workerMany, bareMany).toFixed(2)),
    [`Moleculer over TCP to sandboxed call, ${IN_FLIGHT} in flight`]: Number(
      ratio(tcpMany, workerMany).toFixed(2),
    ),
  },
};
if (process.argv.includes("--json")) console.log(JSON.stringify(result, null, 2));
else {
  console.table(Object.entries(result.microseconds).map(([name, microseconds]) => ({ name, microseconds })));
  console.table(Object.entries(result.ratios).map(([name, value]) => ({ name, ratio: value })));
}

await Promise.all([setup.close(), moleculer.stop(), overTcp.stop()]);
node.kill();
child.kill();
