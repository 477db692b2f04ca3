import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { failure, testBroker } from "./testing/fixtures.js";
import { honestPlugin, MISBEHAVIOURS, methodName, misbehavingPlugin } from "./testing/misbehaviours.js";

const ROUNDS = 3;

const setup = testBroker({
  crashLimit: 1_000,
  restartDelay: 1,
  maxRestartDelay: 1,
  pingTimeout: 100,
  maxMemory: 160 * 1024 * 1024,
});
beforeAll(async () => {
  await setup.add(misbehavingPlugin);
  await setup.add(honestPlugin);
  await setup.broker.call("honest", "main", "echo", 0);
});
afterAll(setup.close);

describe("a misbehaving worker", () => {
  for (const { name, timeout, expected } of MISBEHAVIOURS) {
    test(`${name}: its caller learns of it, other callers notice nothing`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        let over = false;
        const others = (async () => {
          let count = 0;
          for (; !over; count++)
            expect(await setup.broker.call<number>("honest", "main", "echo", count)).toBe(count);
          return count;
        })();
        const call = setup.broker.call("misbehaving", "main", methodName(name), {}, { timeout });
        if (expected === "answer")
          expect(["first", "second"]).toContain(((await call) as { result: string }).result);
        else {
          const error = await failure(call);
          if (!expected.includes(error.code)) throw error;
        }
        over = true;
        expect(await others).toBeGreaterThan(0);
      }
    });
  }

  test("takes only the calls in flight with it, each failing with its own error", async () => {
    const call = (method: string) => setup.broker.call("misbehaving", "main", method, {}, { timeout: 5_000 });
    const [waiting, dying] = await Promise.all([failure(call("never_answer")), failure(call("exit"))]);
    expect([waiting.code, dying.code]).toEqual(["worker_died", "worker_died"]);
    expect(waiting.message).toContain("exit code 3");
  });
});
