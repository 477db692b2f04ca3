import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SESSION_DAYS, SessionStore } from "./sessions.js";

const DAY = 86_400_000;
let folder: string;
let path: string;
let now = Date.parse("2026-01-01T00:00:00Z");
let count = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reef-sessions-"));
});
beforeEach(() => {
  path = join(folder, `sessions-${count++}.json`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = () => new SessionStore(path, () => now);

describe("sessions", () => {
  test("are found by the cookie's value until they expire", async () => {
    const store = open();
    const { value, session } = await store.start();
    expect(store.find(value)).toEqual(session);
    expect(store.find(session.id)).toBeUndefined();
    expect(store.find(`${value}x`)).toBeUndefined();
    expect(store.find("")).toBeUndefined();
    expect(store.find(undefined)).toBeUndefined();
    now += SESSION_DAYS * DAY - 1;
    expect(store.find(value)).toBeDefined();
    now += 1;
    expect(store.find(value)).toBeUndefined();
    expect(store.isAlive(session.id)).toBe(false);
    store.close();
  });

  test("survive a restart; the file holds no secret and is for its owner only", async () => {
    const store = open();
    const { value } = await store.start();
    store.close();
    expect(readFileSync(path, "utf8")).not.toContain(value);
    expect(statSync(path).mode & 0o077).toBe(0);
    const again = open();
    expect(again.find(value)).toBeDefined();
    again.close();
  });

  test("end with the token that they began under, and tell nothing of it", async () => {
    const under = (token: string) => {
      const store = open();
      store.useToken(token);
      return store;
    };
    const store = under("a token");
    const { value } = await store.start();
    expect(store.find(value)).toBeDefined();
    await store.start();
    store.close();
    const { items } = JSON.parse(readFileSync(path, "utf8")) as { items: Array<{ token: string }> };
    expect(new Set(items.map(({ token }) => token)).size).toBe(2);
    for (const [token, lives] of [
      ["a token", true],
      ["another", false],
      ["a token", true],
    ] as const) {
      const again = under(token);
      expect(again.find(value) !== undefined).toBe(lives);
      again.close();
    }
  });

  test("of a version that did not know their token are over", async () => {
    const cookie = "cookie";
    const id = new Bun.CryptoHasher("sha256").update(cookie).digest("hex");
    const times = { createdAt: "2026-01-01T00:00:00.000Z", expiresAt: "2999-01-01T00:00:00.000Z" };
    writeFileSync(path, JSON.stringify({ items: [{ id, ...times }] }));
    const store = open();
    expect(store.find(cookie)).toBeUndefined();
    expect(store.find((await store.start()).value)).toBeDefined();
    store.close();
  });

  test("end for good", async () => {
    const store = open();
    const { value, session } = await store.start();
    await store.end(session.id);
    expect(store.find(value)).toBeUndefined();
    store.close();
    const again = open();
    expect(again.find(value)).toBeUndefined();
    again.close();
  });

  test("do not pile up: the oldest go", async () => {
    const store = open();
    const { value: first } = await store.start();
    const values: string[] = [];
    for (let index = 0; index < 200; index++) {
      now += 1000;
      values.push((await store.start()).value);
    }
    expect(store.find(first)).toBeUndefined();
    expect(values.every((value) => store.find(value))).toBe(true);
    store.close();
  });
});

describe("links", () => {
  test("work once, and for five minutes", () => {
    const store = open();
    const { token, expiresAt } = store.createLink();
    expect(Date.parse(expiresAt) - now).toBe(5 * 60_000);
    expect(store.redeem(`${token}x`)).toBe(false);
    expect(store.redeem(token)).toBe(true);
    expect(store.redeem(token)).toBe(false);
    const late = store.createLink();
    now += 5 * 60_000;
    expect(store.redeem(late.token)).toBe(false);
    store.close();
  });

  test("are at most a hundred; the oldest goes", () => {
    const store = open();
    const first = store.createLink();
    const rest = Array.from({ length: 100 }, () => store.createLink());
    expect(store.redeem(first.token)).toBe(false);
    expect(rest.every(({ token }) => store.redeem(token))).toBe(true);
    store.close();
  });
});
