import type { Database } from "bun:sqlite";

/** Keeps how many events there are in all, of each type and from each source, so that nobody has to count. */
export class Tallies {
  readonly #add;
  readonly #clean;
  readonly #total;
  readonly #top;
  #pending = new Map<string, { kind: string; name: string; n: number }>();

  constructor(db: Database) {
    this.#add = db.query<null, [string, string, number]>(
      "INSERT INTO tallies (kind, name, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
    );
    this.#clean = db.query<null, [string, string]>(
      "DELETE FROM tallies WHERE kind = ? AND name = ? AND n <= 0",
    );
    this.#total = db.query<{ n: number }, []>("SELECT n FROM tallies WHERE kind = 'all' AND name = ''");
    this.#top = db.query<{ name: string; n: number }, [string]>(
      "SELECT name, n FROM tallies WHERE kind = ? ORDER BY n DESC, name LIMIT 100",
    );
  }

  /** Notes one event more (`1`) or less (`-1`) for the next {@link write}. */
  count(type: string, source: string, by: 1 | -1): void {
    this.#note("all", "", by);
    this.#note("type", type, by);
    this.#note("source", source, by);
  }

  /** Forgets what was noted for a transaction that failed. */
  discard(): void {
    this.#pending.clear();
  }

  /** Writes what was noted; belongs into the transaction that changes the events. */
  write(): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const { kind, name, n } of pending.values()) {
      this.#add.run(kind, name, n);
      if (n < 0) this.#clean.run(kind, name);
    }
  }

  total(): number {
    return this.#total.get()?.n ?? 0;
  }

  /** The most frequent names of a kind and how many events each has. */
  top(kind: "type" | "source"): Record<string, number> {
    return Object.fromEntries(this.#top.all(kind).map(({ name, n }) => [name, n]));
  }

  #note(kind: string, name: string, by: number): void {
    const key = `${kind}\n${name}`;
    const entry = this.#pending.get(key);
    if (entry) entry.n += by;
    else this.#pending.set(key, { kind, name, n: by });
  }
}
