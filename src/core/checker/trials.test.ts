import { afterEach, describe, expect, test } from "bun:test";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";
import { SlowChecker } from "../../../tests/support/slow-checker.js";
import { yieldToEventLoop } from "../event-loop.js";
import { LoadFailure } from "../load-failure.js";

afterEach(endRegistries);

const hangs = new LoadFailure("IMPORT_TIMEOUT", "import", "too long");

describe("new code that hangs when it is tried", () => {
  const start = async () => {
    const checker = new SlowChecker(["hangs"]);
    const server = await startRegistry({ "good/index.ts": answering("good", "one") }, { checker });
    server.reef.sandbox.services({ "hangs/index.ts": answering("hangs", "never") });
    return { checker, ...server };
  };

  test.each(["load", "reload", "check", "enable"] as const)("holds up no other change: %s", async (way) => {
    const { checker, reef, registry } = await start();
    if (way === "enable") await registry.disable("hangs");
    const hanging = failure(registry[way]("hangs"));
    await eventually(() => checker.asked.includes("hangs"));
    expect(await registry.reload("good")).toEqual({ name: "good", action: "updated" });
    reef.sandbox.services({ "other/index.ts": answering("other", "new") });
    expect(await registry.load("other")).toEqual({ name: "other", action: "added" });
    checker.fail("hangs", hangs);
    expect(await hanging).toMatchObject({ code: "IMPORT_TIMEOUT" });
  });

  test("is tried once, however many ask for it", async () => {
    const { checker, registry } = await start();
    const all = [registry.load("hangs"), registry.reload("hangs"), registry.check("hangs")].map(failure);
    const sync = registry.sync();
    await eventually(() => checker.asked.includes("hangs"));
    // Some ask a few turns later than others.
    for (let turns = 0; turns < 5; turns++) await yieldToEventLoop();
    checker.fail("hangs", hangs);
    for (const failed of await Promise.all(all)) expect(failed).toMatchObject({ code: "IMPORT_TIMEOUT" });
    expect((await sync).errors).toEqual([{ dir: "hangs", error: "too long" }]);
    expect(checker.asked.filter((dirName) => dirName === "hangs")).toEqual(["hangs"]);
  });

  test("holds up nothing else when all folders are gone through, and is reported at the end", async () => {
    const { checker, reef, registry } = await start();
    reef.sandbox.services({
      "good/index.ts": answering("good", "two"),
      "other/index.ts": answering("other", "new"),
      "needs/index.ts": answering("needs", "hangs", 'dependencies: ["hangs"]'),
    });
    const sync = registry.sync();
    await eventually(
      async () => (await reef.text("/good")) === "two" && (await reef.text("/other")) === "new",
    );
    expect(await registry.reload("good")).toEqual({ name: "good", action: "updated" });
    checker.pass("hangs");
    expect(await sync).toEqual({
      results: [
        { name: "good", action: "updated" },
        { name: "other", action: "added" },
        { name: "hangs", action: "added" },
        { name: "needs", action: "added" },
      ],
      errors: [],
    });
  });

  test("is not tried while it is switched off", async () => {
    const { checker, registry } = await start();
    await registry.disable("hangs");
    expect(await failure(registry.reload("hangs"))).toMatchObject({ code: "DISABLED" });
    expect(await failure(registry.load("hangs"))).toMatchObject({ code: "DISABLED" });
    expect((await registry.sync()).errors).toEqual([]);
    expect(checker.asked).toEqual(["good"]);
  });
});

describe("code that changes while it is tried", () => {
  test("is tried again as it is by then", async () => {
    const checker = new SlowChecker(["a"]);
    const { reef, registry } = await startRegistry({}, { checker });
    reef.sandbox.services({ "a/index.ts": answering("a", "one") });
    const loading = registry.load("a");
    await eventually(() => checker.asked.length === 1);
    reef.sandbox.services({ "a/index.ts": answering("a", "two") });
    checker.fail("a", hangs);
    checker.hold("a");
    checker.pass("a");
    expect(await loading).toEqual({ name: "a", action: "added" });
    expect([await reef.text("/a"), checker.asked]).toEqual(["two", ["a", "a"]]);
  });

  test("has not passed a check", async () => {
    const checker = new SlowChecker(["a"]);
    const { reef, registry } = await startRegistry({}, { checker });
    reef.sandbox.services({ "a/index.ts": answering("a", "one") });
    const checking = failure(registry.check("a"));
    await eventually(() => checker.asked.length === 1);
    reef.sandbox.services({ "a/index.ts": answering("a", "two") });
    checker.pass("a");
    expect(await checking).toMatchObject({ code: "CHANGED" });
    expect(checker.known.size).toBe(0);
  });
});
