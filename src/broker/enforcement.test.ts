import { describe, expect, test } from "bun:test";
import { detectEnforcement } from "./sandbox/level.js";
import { failure, testBroker, writePlugin } from "./testing/fixtures.js";

const detect = async () => ({ level: "none" as const, reason: "this test says so", landlock: 0 });
const code = "export default { services: { main: { go: () => 1 } } };";
const plain = { id: "plain", permissions: ["storage"], methods: { go: {} }, code };
const scoped = {
  id: "scoped",
  permissions: [{ permission: "fs-read", allow: ["/srv/**"] }],
  methods: { go: {} },
  code,
};

describe("where a machine cannot enforce", () => {
  test("plugins with scoped permissions are refused, with the reason, and others run", async () => {
    const setup = testBroker({}, { detect });
    const error = await failure(setup.add(scoped));
    expect([error.code, error.status]).toEqual(["not_enforceable", 403]);
    expect(error.message).toContain(
      "its permissions (fs-read) are not enforceable on this machine: this test says so",
    );
    await setup.add(plain);
    expect(await setup.broker.call<number>("plain", "main", "go")).toBe(1);
    expect(await setup.broker.enforcement()).toMatchObject({ level: "none", mode: "scoped" });
    await setup.close();
  });

  test("only the network, plugins that want one are refused and all others confined", async () => {
    const partial = async () => ({ level: "partial" as const, reason: "no namespace", landlock: 1 });
    const setup = testBroker({}, { detect: partial });
    const error = await failure(
      setup.add({ ...plain, permissions: [{ permission: "network", domains: ["*"] }] }),
    );
    expect(error.message).toContain(
      "its network permission is not enforceable on this machine: no namespace",
    );
    expect(
      await setup.broker.factory.confines(setup.broker.readPlugin(writePlugin(setup.folder, scoped))),
    ).toBe(true);
    await setup.close();
  });

  test("an operator may refuse every plugin, or let every plugin run", async () => {
    const strict = testBroker({}, { detect, enforcement: "required" });
    expect((await failure(strict.add(plain))).code).toBe("not_enforceable");
    await strict.close();
    const open = testBroker({}, { detect, enforcement: "off" });
    await open.add(scoped);
    expect(await open.broker.call<number>("scoped", "main", "go")).toBe(1);
    await open.close();
  });
});

const { level } = await detectEnforcement();

test.skipIf(level !== "full")("a host that is denied is told once, however often it is tried", async () => {
  const setup = testBroker();
  await setup.add({
    id: "curious",
    permissions: [{ permission: "network", domains: ["example.org"] }],
    methods: { look: {} },
    code: `export default { services: { main: { async look() {
      const statuses = [];
      for (let n = 0; n < 300; n++) statuses.push((await fetch("http://host" + (n % 150) + ".test/")).status);
      return statuses;
    } } } };`,
  });
  const statuses = await setup.broker.call<number[]>("curious", "main", "look", {});
  expect(new Set(statuses)).toEqual(new Set([403]));
  const lines = setup.logs.map(({ line }) => line);
  expect(lines.filter((line) => line.startsWith("network of host7.test:80 is denied"))).toHaveLength(1);
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toContain("other hosts");
  await setup.close();
});
