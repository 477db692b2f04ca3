/**
 * Each way for a worker to misbehave, many times over: was the caller's error the right one, how late was
 * it against its timeout, did another plugin's caller notice? `bun bench/broker-faults.ts [rounds]`
 */
import { BrokerError } from "../src/broker/index.js";
import { testBroker } from "../src/broker/testing/fixtures.js";
import {
  honestPlugin,
  MISBEHAVIOURS,
  methodName,
  misbehavingPlugin,
} from "../src/broker/testing/misbehaviours.js";

const rounds = Number(process.argv[2] ?? 50);
const setup = testBroker({
  crashLimit: 1_000_000,
  restartDelay: 1,
  maxRestartDelay: 1,
  maxMemory: 192 * 1024 * 1024,
});
await setup.add(misbehavingPlugin);
await setup.add(honestPlugin);
await setup.broker.call("honest", "main", "echo", 0);

const rows: Record<string, unknown>[] = [];
for (const { name, timeout, expected } of MISBEHAVIOURS) {
  let right = 0;
  let latest = 0;
  let others = 0;
  let othersFailed = 0;
  let othersSlowest = 0;
  const codes: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    let over = false;
    const honest = (async () => {
      while (!over) {
        const started = performance.now();
        try {
          if ((await setup.broker.call<number>("honest", "main", "echo", others)) !== others) othersFailed++;
        } catch {
          othersFailed++;
        }
        others++;
        othersSlowest = Math.max(othersSlowest, performance.now() - started);
        await Bun.sleep(1);
      }
    })();
    const started = performance.now();
    let outcome = "answer";
    try {
      await setup.broker.call("misbehaving", "main", methodName(name), {}, { timeout });
    } catch (error) {
      outcome = error instanceof BrokerError ? error.code : String(error);
    }
    latest = Math.max(latest, performance.now() - started - timeout);
    codes[outcome] = (codes[outcome] ?? 0) + 1;
    if (expected === "answer" ? outcome === "answer" : (expected as string[]).includes(outcome)) right++;
    over = true;
    await honest;
  }
  rows.push({
    misbehaviour: name,
    rounds,
    right,
    outcomes: JSON.stringify(codes),
    "ms past timeout": Math.max(0, Math.round(latest)),
    "other calls": others,
    "of them failed": othersFailed,
    "slowest ms": Math.round(othersSlowest),
  });
}
console.table(rows);
console.log(`host memory: ${Math.round(process.memoryUsage.rss() / 1024 / 1024)} MB`);
await setup.close();
