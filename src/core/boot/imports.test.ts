import { afterEach, describe, expect, test } from "bun:test";
import { endRegistries, reasons, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";
import { SlowChecker } from "../../../tests/support/slow-checker.js";

afterEach(endRegistries);

describe("folders that are slow to import", () => {
  test.each([
    ["in time", ["mine"]],
    ["slow as well", ["mine", "impostor"]],
  ])("keep the name that is theirs, when another folder that claims it is %s", async (_what, slow) => {
    const checker = new SlowChecker(slow);
    const { reef } = await startRegistry(
      { "impostor/index.ts": answering("mine", "impostor"), "mine/index.ts": answering("mine", "mine") },
      { checker, patienceMs: 50 },
    );
    const early = reef.text("/mine");
    checker.pass("impostor", { name: "mine" });
    await Bun.sleep(5);
    checker.pass("mine");
    await reef.settled;
    expect([await early, await reef.text("/mine")]).toEqual(["mine", "mine"]);
    expect(reasons(reef)).toEqual({ impostor: "DUPLICATE_NAME" });
  });

  test("do not take the name of a service that is still starting", async () => {
    const shared = globalThis as unknown as { __claimGate: PromiseWithResolvers<void>; __claims: string[] };
    shared.__claimGate = Promise.withResolvers();
    shared.__claims = [];
    const claiming = (by: string, gate = "") =>
      answering(
        "mine",
        by,
        `async init() { globalThis.__claims.push("init ${by}"); ${gate} },
        dispose() { globalThis.__claims.push("dispose ${by}"); },`,
      );
    const checker = new SlowChecker(["late"]);
    const { reef } = await startRegistry(
      {
        "first/index.ts": claiming("first", "await globalThis.__claimGate.promise;"),
        "late/index.ts": claiming("late"),
      },
      { checker, patienceMs: 50 },
    );
    checker.pass("late", { name: "mine" });
    await eventually(() => reasons(reef).late !== undefined);
    shared.__claimGate.resolve();
    await reef.settled;
    expect(reasons(reef)).toEqual({ late: "DUPLICATE_NAME" });
    expect(await reef.text("/mine")).toBe("first");
    await endRegistries();
    expect(shared.__claims).toEqual(["init first", "dispose first"]);
  });

  test("leave the name to whoever claims it when they fail", async () => {
    const checker = new SlowChecker(["mine"]);
    const { reef } = await startRegistry(
      { "impostor/index.ts": answering("mine", "heir"), "mine/index.ts": answering("mine", "mine") },
      { checker, patienceMs: 50 },
    );
    checker.fail("mine");
    await reef.settled;
    expect(await reef.text("/mine")).toBe("heir");
  });

  test("do not wait for each other for ever when each has the other's name", async () => {
    const checker = new SlowChecker(["a", "b"]);
    const { reef } = await startRegistry(
      { "a/index.ts": answering("b", "from a"), "b/index.ts": answering("a", "from b") },
      { checker, patienceMs: 50 },
    );
    checker.pass("a", { name: "b" });
    checker.pass("b", { name: "a" });
    await reef.settled;
    expect([await reef.text("/a"), await reef.text("/b")]).toEqual(["from b", "from a"]);
  });
});
