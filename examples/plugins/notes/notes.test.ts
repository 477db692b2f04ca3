import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerHarness, createBrokerHarness } from "../../../services/broker/testing.js";
import { BrokerError } from "../../../src/broker/index.js";

const ID = "com.example.notes-plugin";
let t: BrokerHarness;
let support: string;

beforeAll(async () => {
  t = await createBrokerHarness({ plugins: [join(import.meta.dir, "../math"), import.meta.dir] });
  support = join(t.dataDir, "plugins", ID);
  mkdirSync(join(support, "private"), { recursive: true });
  writeFileSync(join(support, "a.txt"), "three small words");
  writeFileSync(join(support, "private", "b.txt"), "not for you");
});
afterAll(() => t.cleanup());

async function refusal(call: Promise<unknown>): Promise<BrokerError> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof BrokerError) return error;
  throw new Error(`not refused: ${JSON.stringify(error)}`);
}

describe(ID, () => {
  test("reads a note and has its words counted by another plugin", async () => {
    const path = join(support, "a.txt");
    expect(await t.call<object>(ID, "notes", "words", { path })).toEqual({ path, count: 3 });
  });

  test("cannot read what its permissions deny, and says which rule it is", async () => {
    const denied = await refusal(t.call(ID, "notes", "words", { path: join(support, "private", "b.txt") }));
    expect(denied.status).toBe(403);
    expect(denied.message).toContain(`${ID} denies ${support}/private/**`);
  });

  test("cannot read anything else", async () => {
    const denied = await refusal(t.call(ID, "notes", "words", { path: "/etc/hostname" }));
    expect(denied.details.denial?.parties).toEqual([{ party: ID, rule: `allows only ${support}/**` }]);
  });

  test("cannot call a method it has no permission for", async () => {
    const failed = await refusal(t.call(ID, "notes", "sum", { a: 1, b: 2 }));
    expect(failed.message).toContain("service:call of com.example.math-plugin/math/add is denied");
  });
});
