import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { detectEnforcement } from "./sandbox/level.js";
import { failure, temporaryFolder, testBroker } from "./testing/fixtures.js";

const { level } = await detectEnforcement();
const outer = temporaryFolder();
const at = (path: string) => join(outer.path, path);
const setup = testBroker();

/** Reads files itself, or has somebody else read them. */
const code = `import { services } from "reef/broker"; import { readFileSync, writeFileSync } from "node:fs";
  export default { services: { main: {
    read: ({ path }) => readFileSync(path, "utf8"),
    write: ({ path }) => { writeFileSync(path, "changed"); return "written"; },
    pass: ({ to: [next, ...rest], method, path }) =>
      services.call(next, "main", rest.length > 0 ? "pass" : method, { to: rest, method, path }),
  } } };`;
const methods = { read: {}, write: {}, pass: {} };
const calls = { permission: "service:call", allow: ["*"] };

beforeAll(async () => {
  for (const file of ["top.txt", "shared/a.txt", "shared/secret/b.txt", "mine/c.txt"]) {
    mkdirSync(join(at(file), ".."), { recursive: true });
    writeFileSync(at(file), `content of ${file}`);
  }
  const read = (...allow: string[]) => ({ permission: "fs-read", allow: allow.map(at) });
  const permissions: Record<string, unknown[]> = {
    everything: [read("**"), { permission: "fs-write", allow: [at("**")] }],
    shared: [read("shared/**", "mine/**")],
    careful: [{ ...read("**"), deny: [at("shared/secret/**")] }],
    nothing: [],
  };
  for (const [id, list] of Object.entries(permissions))
    await setup.add({ id, permissions: [calls, ...list], methods, code });
});
afterAll(async () => {
  await setup.close();
  outer.remove();
});

const through = (chain: string[], method: string, path: string) => {
  const [first = "", ...to] = chain;
  const input = { to, method, path: at(path) };
  return setup.broker.call<string>(first, "main", to.length > 0 ? "pass" : method, input);
};

test("a plugin that asks for its own data folder has one, and only then", async () => {
  const code = `import { writeFileSync, readFileSync } from "node:fs"; export default { services: { main: {
    keep: ({ path }) => { writeFileSync(path, "kept"); return readFileSync(path, "utf8"); } } } };`;
  const permissions = ["fs-read", "fs-write"].map((permission) => ({
    permission,
    allow: ["$EXTENSION_SUPPORT/**"],
  }));
  await setup.add({ id: "keeper", permissions, methods: { keep: {} }, code });
  await setup.add({ id: "modest", methods: { keep: {} }, code });
  const path = join(setup.folder, "support", "keeper", "file");
  expect(await setup.broker.call<string>("keeper", "main", "keep", { path })).toBe("kept");
  expect(existsSync(join(setup.folder, "support", "modest"))).toBe(false);
});

describe.skipIf(level !== "full")("what a chain of callers may do is what all of them may", () => {
  const allowed: [chain: string[], path: string][] = [
    [["everything"], "top.txt"],
    [["shared", "everything"], "shared/a.txt"],
    [["everything", "shared"], "mine/c.txt"],
    [["shared", "everything", "careful"], "shared/a.txt"],
    [["careful", "shared", "everything"], "mine/c.txt"],
  ];
  for (const [chain, path] of allowed) {
    test(`${chain.join(" → ")} reads ${path}`, async () => {
      expect(await through(chain, "read", path)).toBe(`content of ${path}`);
    });
  }

  const denied: [chain: string[], method: string, path: string, words: string][] = [
    [["shared", "everything"], "read", "top.txt", "shared allows only"],
    [["nothing", "everything"], "read", "shared/a.txt", 'nothing has no "fs-read" permission'],
    [["careful", "everything"], "read", "shared/secret/b.txt", "careful denies"],
    [["everything", "careful"], "read", "shared/secret/b.txt", "careful denies"],
    [["shared", "everything", "careful"], "read", "shared/secret/b.txt", "careful denies"],
    [["nothing", "shared", "everything"], "read", "mine/c.txt", "nothing has no"],
    [["shared", "everything"], "write", "shared/a.txt", 'shared has no "fs-write" permission'],
  ];
  for (const [chain, method, path, words] of denied) {
    test(`${chain.join(" → ")} cannot ${method} ${path}, and hears why`, async () => {
      expect((await failure(through(chain, method, path))).message).toContain(words);
    });
  }

  test("workers are shared by callers of equal rights and by no others", async () => {
    await through(["shared", "everything"], "read", "shared/a.txt");
    const keys = setup.broker.workers().filter(({ service }) => service === "everything/main");
    expect(new Set(keys.map(({ permissions }) => permissions)).size).toBe(keys.length);
    const before = keys.length;
    await through(["shared", "everything"], "read", "mine/c.txt");
    expect(setup.broker.workers().filter(({ service }) => service === "everything/main")).toHaveLength(
      before,
    );
  });
});
