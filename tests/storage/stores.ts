import { join } from "node:path";
import { JsonCollection, JsonFile, JsonlFile, type OnReport, SqliteFile } from "../../src/storage/index.js";

/** The same small store on top of each pattern, for tests that put all of them through the same. */
export interface PatternStore {
  add(id: string, body?: string): Promise<unknown>;
  ids(): Promise<string[]>;
  close(): void;
}

interface Item {
  id: string;
  body?: string;
}

export const patterns = ["json-file", "json-collection", "jsonl", "sqlite"] as const;
export type Pattern = (typeof patterns)[number];

export function openStore(pattern: Pattern, folder: string, onReport?: OnReport): PatternStore {
  const options = { path: join(folder, `store.${pattern}`), ...(onReport && { onReport }) };
  switch (pattern) {
    case "json-file": {
      const file = new JsonFile<Item[]>({ ...options, initial: [] });
      return {
        add: (id, body) => file.update((items) => [...items, { id, body }] as Item[]),
        ids: async () => file.value.map((item) => item.id),
        close: () => file.close(),
      };
    }
    case "json-collection": {
      const items = new JsonCollection<Item>(options);
      return {
        add: (id, body) => items.put({ id, body } as Item),
        ids: async () => items.list().map((item) => item.id),
        close: () => items.close(),
      };
    }
    case "jsonl": {
      const log = new JsonlFile<Item>(options);
      return {
        add: (id, body) => log.append({ id, body } as Item),
        ids: async () => (await log.list()).map((item) => item.id),
        close: () => log.close(),
      };
    }
    case "sqlite": {
      const sqlite = new SqliteFile({ ...options, migrations: ["CREATE TABLE item (id TEXT, body TEXT)"] });
      return {
        add: (id, body) => sqlite.write((db) => db.run("INSERT INTO item VALUES (?, ?)", [id, body ?? null])),
        ids: async () => (sqlite.db.query("SELECT id FROM item").all() as Item[]).map((item) => item.id),
        close: () => sqlite.close(),
      };
    }
  }
}
