import { afterEach, describe, expect, test } from "bun:test";
import { failure, type TestBroker, testBroker } from "./testing/fixtures.js";

let setup: TestBroker;
afterEach(() => setup.close());

const crashing = {
  id: "crashing",
  methods: { crash: {}, fine: {} },
  code: "export default { services: { main: { crash() { process.exit(9); }, fine() { return 1; } } } };",
};
const call = (method: string) => setup.broker.call("crashing", "main", method, {}, { timeout: 5_000 });

describe("crashes", () => {
  test("bring a restart at first and rest after the third, with a visible reason", async () => {
    setup = testBroker({ restartDelay: 1 });
    await setup.add(crashing);
    for (let crash = 0; crash < 3; crash++) {
      expect(await call("fine")).toBe(1);
      expect((await failure(call("crash"))).code).toBe("worker_died");
    }
    const refused = await failure(call("fine"));
    expect([refused.code, refused.status]).toEqual(["quarantined", 503]);
    expect(refused.message).toContain("3 crashes in 5 minutes, the last one: it ended with exit code 9");
    const [shown] = setup.broker.workers();
    expect(shown?.state).toBe("quarantined");
    expect(shown?.quarantine?.reason).toContain("exit code 9");
    expect(setup.events.filter(({ type }) => type === "broker.worker_crashed")).toHaveLength(3);
    expect(setup.events.filter(({ type }) => type === "broker.quarantined")).toHaveLength(1);
  });

  test("are forgotten when an operator releases the service or it is loaded again", async () => {
    setup = testBroker({ restartDelay: 1, crashLimit: 1 });
    await setup.add(crashing);
    await failure(call("crash"));
    expect((await failure(call("fine"))).code).toBe("quarantined");
    expect(setup.broker.release("crashing", "main")).toBe(true);
    expect(await call("fine")).toBe(1);
    await failure(call("crash"));
    await setup.add(crashing);
    expect(await call("fine")).toBe(1);
  });

  test("of a service that cannot start fail its callers with the reason", async () => {
    setup = testBroker({ restartDelay: 1 });
    const variants: Record<string, [code: string, reason: string]> = {
      throws: ["throw new Error('broken at import')", "broken at import"],
      missing: [
        "export default { services: { main: {} } }",
        'the method "go" is declared but not implemented',
      ],
      nothing: ["export const a = 1", "the default export of the main file must be { services }"],
      inherited: ["export default { services: { other: { go() {} } } }", 'no service "main"'],
      init: [
        "export default { services: { main: { go() {} } }, async onInit() { throw new Error('no database') } }",
        "no database",
      ],
    };
    for (const [id, [code, reason]] of Object.entries(variants)) {
      await setup.add({ id, methods: { go: {} }, code });
      const error = await failure(setup.broker.call(id, "main", "go"));
      expect(error.code).toBe("start_failed");
      expect(error.message).toContain(reason);
    }
  });

  test("include a start that takes too long", async () => {
    setup = testBroker({ startTimeout: 300 });
    const code = "export default { services: { main: { go() {} } }, onInit: () => new Promise(() => {}) }";
    await setup.add({ id: "slow", methods: { go: {} }, code });
    const error = await failure(setup.broker.call("slow", "main", "go"));
    expect(error.code).toBe("start_failed");
    expect(error.message).toContain("did not start within 300 ms");
  });
});
