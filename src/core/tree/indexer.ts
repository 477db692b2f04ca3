import type { Database } from "bun:sqlite";
import { type Extent, setMark } from "./database.js";
import type { EventWriter } from "./writer.js";

/** Events that are indexed in one transaction, and how many may wait before it is not put off any longer. */
const sliceSize = 1000;
/** How long new events wait for company, in milliseconds. */
const patience = 200;

const text = `content || coalesce((
  SELECT char(10) || group_concat(value, char(10)) FROM json_each(nodes.extra) WHERE json_each.type = 'text'), '')`;

const range = "FROM nodes WHERE seq > ?1 AND seq <= ?2";

const statements = [
  `INSERT INTO by_type SELECT type, seq ${range} ORDER BY type, seq`,
  `INSERT INTO by_source SELECT source, seq ${range} ORDER BY source, seq`,
  `INSERT INTO words (rowid, content) SELECT seq, ${text} ${range}`,
  `INSERT INTO tallies SELECT 'all', '', count(*) ${range} ON CONFLICT DO UPDATE SET n = n + excluded.n`,
  `INSERT INTO tallies SELECT 'type', type, count(*) ${range} GROUP BY type
    ON CONFLICT DO UPDATE SET n = n + excluded.n`,
  `INSERT INTO tallies SELECT 'source', source, count(*) ${range} GROUP BY source
    ON CONFLICT DO UPDATE SET n = n + excluded.n`,
];

/**
 * Fills the search indexes behind the writer, in portions: an event touches pages all over them, which
 * would make each commit many times larger. What is not indexed yet is a short run at the end of `nodes`.
 */
export class Indexer {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(
    private readonly db: Database,
    private readonly writer: EventWriter,
    private readonly extent: Extent,
    private readonly warn: (message: string) => void,
  ) {}

  /** Called after each batch: indexes at once when much has gathered, otherwise a little later. */
  notice(): void {
    if (this.#running || this.#stopped) return;
    if (this.extent.seq - this.extent.indexed >= sliceSize) this.#inBackground();
    else this.#timer ??= setTimeout(() => this.#inBackground(), patience).unref();
  }

  /** Resolves when everything that is stored now is indexed. */
  async catchUp(): Promise<void> {
    const goal = this.extent.seq;
    while (this.extent.indexed < goal && !this.#stopped) {
      this.#running ??= this.#slice().finally(() => {
        this.#running = null;
      });
      await this.#running;
    }
  }

  /** Ends after the portion that is under way; the rest is indexed after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  #inBackground(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.catchUp().catch((error) => this.warn(`New events could not be indexed yet: ${error}`));
  }

  async #slice(): Promise<void> {
    const from = this.extent.indexed;
    const to = Math.min(this.extent.seq, from + sliceSize);
    await this.writer.change(() => {
      for (const sql of statements) this.db.query<null, [number, number]>(sql).run(from, to);
      setMark(this.db, "indexed", String(to));
    });
    this.extent.indexed = to;
    await new Promise(setImmediate);
  }
}
