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

  test("cannot have anybody else walk through what is nested too deeply", async () => {
    const deep = `"[".repeat(100_000) + "]".repeat(100_000)`;
    await setup.add({
      id: "deep",
      permissions: ["storage", { permission: "events", allow: ["*"] }],
      methods: { answer: {}, fail: {}, emit: {} },
      code: `import { events } from "reef/broker";
        import { writeSync } from "node:fs";
        const send = (text) => {
          for (let left = Buffer.from(text + "\\n"); left.length > 0; ) {
            try { left = left.subarray(writeSync(3, left)); } catch (e) { if (e.code !== "EAGAIN") throw e; }
          }
          return new Promise(() => {});
        };
        export default { services: { main: {
          answer: () => send("[3,1," + ${deep} + "]"),
          fail: () => send('[4,2,{"name":"BrokerError","code":"permission_denied","details":{"issues":' + ${deep} + "}}]"),
          emit: () => events.emit("x", JSON.parse("[".repeat(2000) + "]".repeat(2000))),
        } } };`,
    });
    const attempt = (method: string) =>
      failure(setup.broker.call("deep", "main", method, {}, { timeout: 5_000 }));
    const nested = expect.stringContaining("nested in more than 1000 levels");
    expect(await attempt("answer")).toMatchObject({ code: "invalid_output", message: nested });
    expect(await attempt("fail")).toMatchObject({ code: "invalid_output", message: nested });
    expect(await attempt("emit")).toMatchObject({ code: "method_failed", message: nested });
    expect(setup.events.filter(({ type }) => type === "broker.plugin_event")).toEqual([]);
  });

  test("takes only the calls in flight with it, each failing with its own error", async () => {
    const call = (method: string) => setup.broker.call("misbehaving", "main", method, {}, { timeout: 5_000 });
    const [waiting, dying] = await Promise.all([failure(call("never_answer")), failure(call("exit"))]);
    expect([waiting.code, dying.code]).toEqual(["worker_died", "worker_died"]);
    expect(waiting.message).toContain("exit code 3");
  });
});
