/** Fills the search indexes of the event log in the background. */
import type { Database } from "bun:sqlite";
import { type Extent, setMark } from "./database.js";
import type { EventWriter } from "./writer.js";

/** The number of events indexed per transaction. */
const SLICE_SIZE = 2000;
/** Indexing waits for a pause in publishing of this many milliseconds … */
const PAUSE_MS = 200;
/** … at most this many times, or until this many events have accumulated. */
const MAX_DELAYS = 50;
const MAX_UNINDEXED = 50_000;
/** With more unindexed events than this, a search triggers indexing. */
const MAX_SCANNED = 2000;

const text = `content || coalesce((
  SELECT char(10) || group_concat(value, char(10)) FROM json_each(nodes.extra) WHERE json_each.type = 'text'), '')`;

const range = "FROM nodes WHERE seq > ?1 AND seq <= ?2";

const statements = [
  `INSERT INTO by_type SELECT type, seq ${range} ORDER BY type, seq`,
  `INSERT INTO by_source SELECT source, seq ${range} ORDER BY source, seq`,
  `INSERT INTO roots SELECT seq ${range} AND parent IS NULL`,
  `INSERT INTO words (rowid, content) SELECT seq, ${text} ${range}`,
  `WITH counts AS MATERIALIZED (SELECT type, source, count(*) AS n ${range} GROUP BY type, source)
    INSERT INTO tallies
    SELECT 'type', type, sum(n) FROM counts GROUP BY type
    UNION ALL SELECT 'source', source, sum(n) FROM counts GROUP BY source
    UNION ALL SELECT 'all', '', sum(n) FROM counts HAVING sum(n) > 0
    ON CONFLICT DO UPDATE SET n = n + excluded.n`,
];

/**
 * Fills the search indexes behind the writer, in portions: each event touches pages all over them, which would
 * make commits many times larger. Unindexed events are a short run at the end of `nodes`.
 */
export class Indexer {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #delays = 0;
  #noticed = 0;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(
    private readonly db: Database,
    private readonly writer: EventWriter,
    private readonly extent: Extent,
    private readonly warn: (message: string) => void,
  ) {}

  /**
   * Called after each batch. Indexes at once when many events have accumulated, otherwise when publishing
   * pauses.
   */
  notice(): void {
    if (this.#running || this.#stopped) return;
    if (this.extent.seq - this.extent.indexed >= MAX_UNINDEXED) this.#inBackground();
    else if (!this.#timer) this.#wait();
  }

  #wait(): void {
    this.#noticed = this.extent.seq;
    this.#timer = setTimeout(() => {
      if (this.extent.seq === this.#noticed || ++this.#delays >= MAX_DELAYS) this.#inBackground();
      else this.#wait();
    }, PAUSE_MS).unref();
  }

  /** Called after a search that had to scan unindexed events, so that the next one has fewer. */
  noticeSearch(): void {
    if (this.#running || this.#stopped) return;
    if (this.extent.seq - this.extent.indexed > MAX_SCANNED) this.#inBackground();
  }

  /** Resolves when everything stored so far is indexed. */
  async catchUp(): Promise<void> {
    const goal = this.extent.seq;
    while (this.extent.indexed < goal && !this.#stopped) {
      this.#running ??= this.#slice().finally(() => {
        this.#running = null;
      });
      await this.#running;
    }
  }

  /** Stops after the current portion; the rest is indexed after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  #inBackground(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#delays = 0;
    this.catchUp().then(
      () => {
        if (this.extent.indexed < this.extent.seq) this.notice();
      },
      (error) => this.warn(`New events could not be indexed yet: ${error}`),
    );
  }

  async #slice(): Promise<void> {
    const from = this.extent.indexed;
    const to = Math.min(this.extent.seq, from + SLICE_SIZE);
    await this.writer.change(() => {
      for (const sql of statements) this.db.query<null, [number, number]>(sql).run(from, to);
      setMark(this.db, "indexed", String(to));
    });
    this.extent.indexed = to;
    await new Promise(setImmediate);
  }
}
