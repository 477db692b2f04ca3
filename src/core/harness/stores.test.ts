import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { Hono } from "hono";
import { JsonCollection, JsonFile, JsonlFile, SqliteFile } from "../../storage/index.js";
import { createTestHarness } from "../testing.js";
import type { ServiceModule, ServiceStore } from "../types.js";

interface Kept {
  add(text: string): unknown;
  count(): number | Promise<number>;
}

/** A service that keeps what it is sent and answers with how much it has. */
function keeping(store: ServiceStore, { add, count }: Kept, more: Partial<ServiceModule> = {}) {
  const routes = new Hono().post("/", async (c) => {
    await add(await c.req.text());
    return c.json({ count: await count() }, 201);
  });
  return { name: "kept", routes, store, ...more } satisfies ServiceModule;
}

/** What harnesses of one module answer, one after the other. */
async function counts(module: ServiceModule, harnesses = 2): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (let n = 0; n < harnesses; n++) {
    const t = await createTestHarness({ services: [module] });
    const { status, data } = await t.json("/kept", { auth: true, body: "x" });
    seen.push(status, data.count);
    await t.cleanup();
  }
  return seen;
}

const helpers: [string, (path: string) => [ServiceStore, Kept]][] = [
  [
    "JsonFile",
    (path) => {
      const file = new JsonFile<string[]>({ path, initial: [] });
      return [file, { add: (text) => file.update((all) => [...all, text]), count: () => file.value.length }];
    },
  ],
  [
    "JsonCollection",
    (path) => {
      const all = new JsonCollection<{ id: string }>({ path });
      return [all, { add: () => all.put({ id: Bun.randomUUIDv7() }), count: () => all.size }];
    },
  ],
  [
    "JsonlFile",
    (path) => {
      const file = new JsonlFile<string>({ path });
      return [file, { add: (text) => file.append(text), count: async () => (await file.list()).length }];
    },
  ],
  [
    "SqliteFile",
    (path) => {
      const file = new SqliteFile({ path, migrations: ["CREATE TABLE item (text TEXT)"] });
      const count = () => file.db.query<{ n: number }, []>("SELECT count(*) AS n FROM item").get()?.n ?? -1;
      return [
        file,
        { add: (text) => file.write((db) => db.run("INSERT INTO item VALUES (?)", [text])), count },
      ];
    },
  ],
];

describe.each(helpers)("a module that keeps a %s", (name, make) => {
  test("works in one harness after the other, and none sees what another one kept", async () => {
    expect(await counts(keeping(...make(`${name}-again`)), 3)).toEqual([201, 1, 201, 1, 201, 1]);
  });

  test("does so when its dispose closes the store", async () => {
    const [store, kept] = make(`${name}-disposed`);
    const module = keeping(store, kept, { dispose: () => store.close?.() });
    expect(await counts(module)).toEqual([201, 1, 201, 1]);
  });

  test("refuses further use once the service itself has closed it", async () => {
    const [store, kept] = make(`${name}-closed`);
    const t = await createTestHarness({ services: [keeping(store, kept)] });
    await store.close?.();
    expect((await t.fetch("/kept", { auth: true, body: "x" })).status).toBe(500);
    await t.cleanup();
  });
});

test("a database that a module opened while it was imported is there for the next harness", async () => {
  const db = new Database(":memory:");
  afterAll(() => db.close());
  db.run("CREATE TABLE item (text TEXT)");
  const store = { close: () => db.close() };
  const add = (text: string) => db.run("INSERT INTO item VALUES (?)", [text]);
  const count = () => db.query<{ n: number }, []>("SELECT count(*) AS n FROM item").get()?.n ?? -1;
  expect(await counts(keeping(store, { add, count }))).toEqual([201, 1, 201, 2]);
});

test("a store that saves later has saved when its harness is cleaned up", async () => {
  const items: string[] = [];
  let timer: Timer | undefined;
  const store = {
    flush() {
      clearTimeout(timer);
      mkdirSync("data", { recursive: true });
      writeFileSync("data/saved-later.json", JSON.stringify(items));
    },
  };
  const add = (text: string) => {
    items.push(text);
    timer = setTimeout(store.flush, 60_000);
  };
  expect(await counts(keeping(store, { add, count: () => items.length }))).toEqual([201, 1, 201, 2]);
  expect(existsSync("data/saved-later.json")).toBe(true);
});

describe("the close of a store", () => {
  test("is its own again after cleanup, in whatever order harnesses end", async () => {
    let closed = 0;
    class Store {
      close() {
        closed++;
      }
    }
    const store = new Store();
    const module = { name: "kept", store };
    const two = [
      await createTestHarness({ services: [module] }),
      await createTestHarness({ services: [module] }),
    ];
    await Promise.all(two.map((t) => t.cleanup()));
    expect([closed, Object.hasOwn(store, "close")]).toEqual([0, false]);
    store.close();
    expect(closed).toBe(1);
  });

  test("is called when the service is unloaded", async () => {
    let closed = 0;
    const t = await createTestHarness({
      services: [{ name: "kept", store: { close: () => void closed++ } }],
    });
    await t.server.ctx.unloadModule("kept");
    expect(closed).toBe(1);
    await t.cleanup();
  });

  test("is left alone when an init fails, so that another try finds the store open", async () => {
    let fails = true;
    let closed = 0;
    const module: ServiceModule = {
      name: "kept",
      store: { close: () => void closed++ },
      init: () => {
        if (fails) throw new Error("not yet");
      },
    };
    await expect(createTestHarness({ services: [module] })).rejects.toThrow("not yet");
    fails = false;
    await (await createTestHarness({ services: [module] })).cleanup();
    expect(closed).toBe(0);
  });
});
