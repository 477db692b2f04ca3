import { describe, expect, test } from "bun:test";
import { LineReader } from "./channel.js";
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

  test("what a busy worker has not read yet is no reason to end it: calls wait, and answers that are too much are refused", async () => {
    const mb = 1024 * 1024;
    const values: Record<string, string> = { large: "x".repeat(mb) };
    const storage = {
      get: async (_plugin: string, key: string) => values[key],
      set: async () => undefined,
      delete: async () => undefined,
      keys: async () => [],
    };
    const setup = testBroker({ maxBacklog: 16 * mb }, { storage });
    const code = `import { storage } from "reef/broker";
      const loop = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); };
      export default { services: { main: {
        loop: ({ ms }) => { loop(ms); return process.pid; },
        size: ({ text }) => text.length,
        async ask({ count }) {
          const asked = Promise.allSettled(Array.from({ length: count }, () => storage.get("large")));
          await Bun.sleep(1);
          loop(300);
          return (await asked).map(({ reason }) => reason?.code ?? "ok");
        } } } };`;
    await setup.add({ id: "busy", permissions: ["storage"], methods: { loop: {}, size: {}, ask: {} }, code });
    const call = <T>(method: string, input: unknown) => setup.broker.call<T>("busy", "main", method, input);
    const pid = await call<number>("loop", { ms: 0 });
    const busy = call("loop", { ms: 300 });
    const sizes = Array.from({ length: 40 }, () => call<number>("size", { text: values.large }));
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([mb]));
    await busy;
    expect(await call<string[]>("ask", { count: 10 })).toEqual(Array(10).fill("ok"));
    const answers = await call<string[]>("ask", { count: 40 });
    expect(new Set(answers)).toEqual(new Set(["ok", "overloaded"]));
    expect(await call<number>("loop", { ms: 0 })).toBe(pid);
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
