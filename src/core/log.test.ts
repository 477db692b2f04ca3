import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LogBook, type LogLine } from "./log.js";

const book = () => {
  const seen: LogLine[] = [];
  return { logs: new LogBook((line) => seen.push(line)), seen };
};

describe("LogBook", () => {
  test("keeps lines by service and passes each on with its level and time", () => {
    const { logs, seen } = book();
    const log = logs.logger("board");
    log.debug("a");
    log.info("b %d", 2, { c: 3 });
    log.warn("d");
    logs.logger("feed").error("e");
    expect(seen.map(({ service, level, text }) => [service, level, text])).toEqual([
      ["board", "debug", "a"],
      ["board", "info", "b 2 { c: 3 }"],
      ["board", "warn", "d"],
      ["feed", "error", "e"],
    ]);
    expect(logs.lines("board")).toEqual(seen.slice(0, 3));
    expect(logs.lines("feed")).toEqual(seen.slice(3));
    expect(logs.lines("nobody")).toEqual([]);
    for (const { time } of seen) expect(new Date(time).toISOString()).toBe(time);
  });

  test("shows errors with their stack", () => {
    const { logs, seen } = book();
    logs.logger("x").error("request failed:", new RangeError("too far"));
    expect(seen[0]?.text).toContain("RangeError: too far");
    expect(seen[0]?.text).toContain("log.test.ts");
  });

  test("forgets who has been silent for longest when there are too many names", () => {
    const logs = new LogBook(() => undefined, 2);
    for (const service of ["old", "silent", "old", "new"]) logs.logger(service).info("x");
    const kept = (service: string) => logs.lines(service).length;
    expect([kept("silent"), kept("old"), kept("new")]).toEqual([0, 2, 1]);
  });

  test("keeps the latest 500 lines", () => {
    const { logs } = book();
    for (let n = 0; n < 1200; n++) logs.logger("x").info(n);
    const kept = logs.lines("x").map(({ text }) => Number(text));
    expect(kept).toEqual(Array.from({ length: 500 }, (_, n) => 700 + n));
  });

  test("cuts a very long line and says how long it was", () => {
    const { logs, seen } = book();
    logs.logger("x").info("y".repeat(100_000));
    expect(seen[0]?.text.length).toBeLessThan(9000);
    expect(seen[0]?.text).toEndWith("… (100000 characters)");
  });

  test("what it returns is a copy", () => {
    const { logs } = book();
    logs.logger("x").info("kept");
    logs.lines("x").length = 0;
    expect(logs.lines("x")).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    [
      "an inspector that throws",
      {
        [Symbol.for("nodejs.util.inspect.custom")]() {
          throw new Error("no");
        },
      },
    ],
    [
      "a getter that throws",
      {
        get x() {
          throw new Error("no");
        },
      },
    ],
    ["an object without a prototype", Object.create(null)],
    [
      "a proxy that refuses everything",
      new Proxy(
        {},
        {
          get() {
            throw new Error("no");
          },
          ownKeys() {
            throw new Error("no");
          },
        },
      ),
    ],
    [
      "an error whose stack throws",
      Object.defineProperty(new Error("x"), "stack", {
        get() {
          throw new Error("no");
        },
      }),
    ],
    [
      "a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
  ])("never throws at its caller: %s", (_what, value) => {
    const { logs, seen } = book();
    logs.logger("x").error("failed:", value);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.text).toStartWith("failed:");
  });
});

test("lines that nobody reads any more are no error", async () => {
  const script = `import { LogBook } from ${JSON.stringify(join(import.meta.dir, "log.js"))};
    const logs = new LogBook();
    process.on("uncaughtException", () => process.exit(3));
    process.on("unhandledRejection", () => process.exit(4));
    for (let n = 0; n < 50; n++) {
      logs.write("a", n % 2 ? "info" : "error", ["x".repeat(8000)]);
      await Bun.sleep(1);
    }`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  expect(await child.exited).toBe(0);
});
