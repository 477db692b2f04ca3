import { BrokerError, DEFAULT_LIMITS, type PluginStorage } from "../../src/broker/index.js";
import { SqliteFile } from "../../src/storage/index.js";

/** Characters of the keys of one plugin that are read at most: more would not reach it. */
const MAX_LISTED = DEFAULT_LIMITS.maxMessage;

/** Keeps what plugins store in one database, each plugin apart. */
export class SqlitePluginStorage implements PluginStorage {
  readonly #file: SqliteFile;

  constructor(path: string) {
    this.#file = new SqliteFile({
      path,
      migrations: [
        "CREATE TABLE entry (plugin TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (plugin, key)) WITHOUT ROWID",
      ],
    });
  }

  async get(plugin: string, key: string): Promise<unknown> {
    const query = this.#file.db.query<{ value: string }, [string, string]>(
      "SELECT value FROM entry WHERE plugin = ? AND key = ?",
    );
    const row = query.get(plugin, key);
    return row ? JSON.parse(row.value) : undefined;
  }

  async set(plugin: string, key: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    await this.#file.write((db) =>
      db.run("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", [plugin, key, text]),
    );
  }

  async delete(plugin: string, key: string): Promise<void> {
    await this.#file.write((db) => db.run("DELETE FROM entry WHERE plugin = ? AND key = ?", [plugin, key]));
  }

  async keys(plugin: string): Promise<string[]> {
    const query = this.#file.db.query<{ key: string }, [string]>(
      "SELECT key FROM entry WHERE plugin = ? ORDER BY key",
    );
    const keys: string[] = [];
    let size = 0;
    for (const { key } of query.iterate(plugin)) {
      size += key.length;
      if (size > MAX_LISTED) throw new BrokerError("invalid_output", "too many keys to list");
      keys.push(key);
    }
    return keys;
  }

  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}
