import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Sandbox } from "../../../tests/support/sandbox.js";
import { ChildChecker } from "../checker.js";

let sandbox: Sandbox;
let checker: ChildChecker;
beforeEach(() => {
  sandbox = new Sandbox();
  checker = new ChildChecker({ servicesDir: sandbox.servicesDir, timeoutMs: 20_000 });
});
afterEach(async () => {
  await checker.close();
  sandbox.remove();
});

/** A service that notes when it starts. What is in `init` has the context as `ctx`. */
function service(name: string, needs: string[] = [], init = "", more = ""): Record<string, string> {
  const log = JSON.stringify(join(sandbox.root, "log"));
  return {
    [`${name}/index.ts`]: `import { appendFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
      export default {
        name: "${name}",
        dependencies: ${JSON.stringify(needs)},
        async init(ctx) { appendFileSync(${log}, "${name}\\n"); ${init} },
        ${more}
      };`,
  };
}

function starts(): string[] {
  const log = join(sandbox.root, "log");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

test("what many services need is not started for each of them while they are tried", async () => {
  const names = Array.from({ length: 10 }, (_, n) => `s${n}`);
  sandbox.services({
    ...service("base", [], "await Bun.sleep(20);"),
    ...Object.assign({}, ...names.map((name) => service(name, ["base"]))),
  });
  await Promise.all(names.map((name) => checker.start(["base", name])));
  // Not each time; more than once only where trials take so long that what they need is not kept.
  expect(starts().filter((name) => name === "base").length).toBeLessThan(names.length / 2);
  expect(new Set(starts())).toEqual(new Set(["base", ...names]));
});

test("those of a chain are not started for each that comes after them", async () => {
  const names = Array.from({ length: 12 }, (_, n) => `c${n}`);
  sandbox.services(
    Object.assign({}, ...names.map((name, at) => service(name, at > 0 ? [`c${at - 1}`] : []))),
  );
  for (const at of names.keys()) await checker.start(names.slice(0, at + 1));
  for (const name of names)
    expect(starts().filter((one) => one === name).length, name).toBeLessThanOrEqual(2);
});

test("what is wrong is looked for without what other trials have left", async () => {
  sandbox.services({
    ...service("base", [], "", "store: { flush() {}, names: new Set() },"),
    ...service(
      "once",
      ["base"],
      'const { names } = ctx.getStore("base"); if (names.has("once")) throw new Error("taken"); names.add("once");',
    ),
    ...service("user", ["base", "once"]),
    ...service(
      "file",
      ["base"],
      'if (existsSync("mine")) throw new Error("there"); writeFileSync("mine", "");',
    ),
  });
  await checker.start(["base", "once"]);
  await checker.start(["base", "once", "user"]);
  await checker.start(["base", "file"]);
  await checker.start(["base", "file"]);
  await checker.start(["base", "once"]);
});

test("what needs nothing finds nothing of what has just been tried either", async () => {
  sandbox.services({
    ...service("base"),
    ...service("user", ["base"]),
    ...service("file", [], 'if (existsSync("mine")) throw new Error("there"); writeFileSync("mine", "");'),
    "import/index.ts": `import { existsSync, writeFileSync } from "node:fs";
      if (existsSync("mine")) throw new Error("there");
      writeFileSync("mine", "");
      export default { name: "import" };`,
  });
  for (let round = 0; round < 2; round++) {
    await checker.start(["base", "user"]);
    await checker.start(["file"]);
    await checker.start(["base", "user"]);
    await checker.import("import");
  }
});

test("nothing of one trial is left when the next begins, however long it takes to end", async () => {
  const taken = JSON.stringify(join(sandbox.root, "taken"));
  sandbox.services({
    // As who opens a port does.
    ...service(
      "taking",
      [],
      `writeFileSync(${taken}, "", { flag: "wx" });`,
      `async dispose() { await Bun.sleep(300); rmSync(${taken}); writeFileSync("saved", ""); },`,
    ),
    ...service("user", ["taking"]),
    ...service("clean", [], 'if (existsSync("saved")) throw new Error("there");'),
  });
  for (const pause of [0, 450, 550, 650]) {
    await checker.start(["taking", "user"]);
    await Bun.sleep(pause);
    await checker.start(["taking"]);
    await checker.start(["clean"]);
  }
});

test("what is needed is started as it is now", async () => {
  sandbox.services({
    ...service("base", [], "", "store: { flush() {}, version: 1 },"),
    ...service("user", ["base"], 'if (ctx.getStore("base").version !== 1) throw new Error("too new");'),
    ...service("any", ["base"]),
  });
  await checker.start(["base", "any"]);
  sandbox.services(service("base", [], "", "store: { flush() {}, version: 2 },"));
  await expect(checker.start(["base", "user"])).rejects.toThrow("too new");
});

test("a service is tried anew when others have needed it a moment ago", async () => {
  sandbox.services({
    ...service("base"),
    ...service("middle", ["base"]),
    ...service("top", ["base", "middle"]),
  });
  await checker.start(["base", "middle", "top"]);
  sandbox.services(service("middle", ["base"], 'throw new Error("changed");'));
  await expect(checker.start(["base", "middle"])).rejects.toThrow("changed");
});

test("one that fails does not end what another is being tried with", async () => {
  sandbox.services({
    ...service(
      "base",
      [],
      "",
      "store: { flush() {}, isOver: false }, dispose() { this.store.isOver = true; },",
    ),
    ...service(
      "slow",
      ["base"],
      `await Bun.sleep(600); if (ctx.getStore("base").isOver) writeFileSync(${JSON.stringify(join(sandbox.root, "gone"))}, "");`,
    ),
    ...service("bad", ["base"], 'throw new Error("bad");'),
  });
  const slow = checker.start(["base", "slow"]);
  await eventually(() => starts().includes("slow"), "the start of slow");
  await expect(checker.start(["base", "bad"])).rejects.toThrow("bad");
  await slow;
  expect(existsSync(join(sandbox.root, "gone"))).toBe(false);
});
