import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../tests/support/sandbox.js";
import { yieldToEventLoop } from "../core/event-loop.js";
import { LineReader } from "./channel.js";
import { BrokerError } from "./errors.js";
import { testBroker } from "./testing/fixtures.js";

function reader(limit: number) {
  const lines: string[] = [];
  let overflows = 0;
  const made = new LineReader(
    () => limit,
    (line) => lines.push(line),
    () => overflows++,
  );
  return { push: (bytes: Uint8Array) => made.push(bytes), lines, overflows: () => overflows };
}

describe("lines", () => {
  test("come out whole however the bytes are cut, inside of characters too", () => {
    const text = '["ä€😀"]\n[2]\n\n["long line that is cut"]\n';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const { push, lines } = reader(1_000);
      for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
      expect(lines).toEqual(text.split("\n").slice(0, -1));
    }
  });

  test("that are too long are reported, finished or not", () => {
    for (const text of ["x".repeat(11), `${"x".repeat(11)}\n`, `ok\n${"x".repeat(11)}`]) {
      const { push, overflows } = reader(10);
      push(new TextEncoder().encode(text));
      expect(overflows()).toBe(1);
    }
  });
});

describe("between host and worker", () => {
  test("large messages pass up to the limit, and calls that exceed it fail alone", async () => {
    const setup = testBroker({ maxMessage: 200_000 });
    const code = `export default { services: { main: {
      echo: (input) => input, grow: ({ size }) => "x".repeat(size) } } };`;
    await setup.add({ id: "echo", methods: { echo: {}, grow: {} }, code });
    const call = (method: string, input: unknown) => setup.broker.call<string>("echo", "main", method, input);
    const large = "ä€😀".repeat(20_000);
    const several = await Promise.all(Array.from({ length: 20 }, () => call("echo", large)));
    expect(several.every((answer) => answer === large)).toBe(true);
    const outcomes = await Promise.allSettled([
      call("echo", "x".repeat(200_001)),
      call("grow", { size: 200_001 }),
      call("grow", { size: 5 }),
    ]);
    expect(outcomes.map((one) => (one.status === "fulfilled" ? one.value : one.reason.code))).toEqual([
      "invalid_input",
      "invalid_output",
      "xxxxx",
    ]);
    await setup.close();
  });

  test("an error that says more than can be sent reaches who asked, as much of it as can be", async () => {
    const setup = testBroker({ maxMessage: 200_000 });
    const shout = () => {
      throw new Error("x".repeat(300_000));
    };
    setup.broker.registerLocal("board", "tasks", { shout: { handler: shout } });
    await setup.add({
      id: "asking",
      permissions: [{ permission: "service:call", allow: ["*"] }],
      methods: { ask: {} },
      code: `import { services } from "reef/broker";
        const told = (error) => [error.code, error.message.slice(0, 30)];
        export default { services: { main: { ask: () => services.call("board", "tasks", "shout", {}).catch(told) } } };`,
    });
    const answer = await setup.broker.call("asking", "main", "ask", {}, { timeout: 5000 });
    expect(answer).toEqual(["method_failed", "board/tasks/shout failed: xxxx"]);
    await setup.close();
  });

  test("what a busy worker has not read yet is no reason to end it: calls wait, and answers that are too much are refused", async () => {
    const mb = 1024 * 1024;
    const large = "x".repeat(mb);
    let asked = 0;
    const storage = {
      get: async (_plugin: string, key: string) => {
        asked++;
        if (key === "large") return large;
        throw new BrokerError("unavailable", "not now", { thrown: large });
      },
      set: async () => undefined,
      delete: async () => undefined,
      keys: async () => [],
    };
    const setup = testBroker({ maxBacklog: 16 * mb }, { storage });
    const code = `import { existsSync } from "node:fs";
      import { storage } from "reef/broker";
      const block = () => { while (!existsSync(process.env.EXTENSION + "/gate")); };
      export default { services: { main: {
        block: () => { block(); return process.pid; },
        size: ({ text }) => text.length,
        async ask({ count, key }) {
          const asked = Promise.allSettled(Array.from({ length: count }, () => storage.get(key)));
          await Bun.sleep(1);
          block();
          return (await asked).map(({ reason }) => reason?.code ?? "ok");
        } } } };`;
    await setup.add({
      id: "busy",
      permissions: ["storage"],
      methods: { block: {}, size: {}, ask: {} },
      code,
    });
    const gate = join(setup.folder, "busy/gate");
    const call = <T>(method: string, input: unknown = {}) =>
      setup.broker.call<T>("busy", "main", method, input);
    const answers = async (count: number, key: string) => {
      asked = 0;
      const asking = call<string[]>("ask", { count, key });
      await eventually(() => asked === count, "the requests");
      writeFileSync(gate, "");
      const codes = await asking;
      rmSync(gate);
      return codes;
    };
    const busy = call<number>("block");
    await eventually(() => setup.broker.workers()[0]?.inFlight === 1, "the call");
    const sizes = Array.from({ length: 40 }, () => call<number>("size", { text: large }));
    await yieldToEventLoop();
    writeFileSync(gate, "");
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([mb]));
    const pid = await busy;
    rmSync(gate);
    expect(await answers(10, "large")).toEqual(Array(10).fill("ok"));
    expect(new Set(await answers(40, "large"))).toEqual(new Set(["ok", "overloaded"]));
    expect(await answers(40, "refused")).toEqual(Array(40).fill("unavailable"));
    writeFileSync(gate, "");
    expect(await call<number>("block")).toBe(pid);
    await setup.close();
  });

  test("output without end neither fills our memory nor stops calls, and the log stays bounded", async () => {
    const setup = testBroker({ maxLogRate: 10_000 });
    const code = `export default { services: { main: {
      async spam() { for (let i = 0; i < 200; i++) { process.stdout.write("y".repeat(100000) + "\\n"); await 1; } },
      echo: (input) => input } } };`;
    await setup.add({ id: "loud", methods: { spam: {}, echo: {} }, code });
    const before = process.memoryUsage.rss();
    setup.broker.call("loud", "main", "spam", {}, { timeout: 2_000 }).catch(() => undefined);
    await setup.add({
      id: "calm",
      methods: { echo: {} },
      code: "export default { services: { main: { echo: (x) => x } } };",
    });
    for (let at = 0; at < 200; at++)
      expect(await setup.broker.call<number>("calm", "main", "echo", at)).toBe(at);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
    expect(setup.logs.every(({ line }) => line.length <= 8_000)).toBe(true);
    await setup.close();
  });
});
