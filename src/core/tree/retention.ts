/** Removes old events. */

import type { Database } from "bun:sqlite";
import { yieldToEventLoop } from "../event-loop.js";
import { type Extent, setMark } from "./database.js";
import type { Indexer } from "./indexer.js";
import type { EventWriter } from "./writer.js";

/** How long events are kept. Absent fields do not limit. */
export interface Retention {
  /** The number of newest events to keep. */
  maxEvents?: number;
  /** How long to keep events, in milliseconds. */
  maxAgeMs?: number;
}

/** The number of events removed per transaction; small, so that requests are served in between. */
const SLICE_SIZE = 200;

const add = "ON CONFLICT DO UPDATE SET n = n + excluded.n";

/** Removes all events up to a row number, and their index entries. */
const remove = [
  `INSERT INTO tallies SELECT 'all', '', -count(*) FROM nodes WHERE seq <= ?1 ${add}`,
  `INSERT INTO tallies SELECT 'type', type, -count(*) FROM nodes WHERE seq <= ?1 GROUP BY type ${add}`,
  `INSERT INTO tallies SELECT 'source', source, -count(*) FROM nodes WHERE seq <= ?1 GROUP BY source ${add}`,
  "DELETE FROM by_type WHERE (type, seq) IN (SELECT type, seq FROM nodes WHERE seq <= ?1)",
  "DELETE FROM by_source WHERE (source, seq) IN (SELECT source, seq FROM nodes WHERE seq <= ?1)",
  "DELETE FROM words WHERE rowid IN (SELECT seq FROM nodes WHERE seq <= ?1)",
  `DELETE FROM tallies WHERE n <= 0 AND (kind, name) IN (
    SELECT 'type', type FROM nodes WHERE seq <= ?1 UNION SELECT 'source', source FROM nodes WHERE seq <= ?1)`,
  "DELETE FROM roots WHERE seq <= ?1",
  "DELETE FROM nodes WHERE seq <= ?1",
];

/** Removes the oldest events in slices until the log is within the limits. */
export class Pruner {
  #running: Promise<number> | null = null;
  #stopped = false;

  constructor(
    private readonly db: Database,
    private readonly writer: EventWriter,
    private readonly indexer: Indexer,
    private readonly extent: Extent,
    private readonly now: () => number,
  ) {}

  /** Prunes. Resolves with the number of events removed. A call during a run joins it. */
  run(retention: Retention): Promise<number> {
    this.#running ??= this.#runAll(retention).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Stops after the current slice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
  }

  async #runAll(retention: Retention): Promise<number> {
    let removed = 0;
    while (!this.#stopped) {
      await this.indexer.catchUp();
      const slice = await this.writer.change(() => this.#slice(retention));
      if (slice.count > 0) this.extent.pruned = slice.pruned;
      this.extent.count -= slice.count;
      removed += slice.count;
      if (slice.count < SLICE_SIZE) break;
      // Requests that arrived meanwhile are served first.
      await yieldToEventLoop();
    }
    return removed;
  }

  #slice({ maxEvents = Infinity, maxAgeMs = Infinity }: Retention): { count: number; pruned: string } {
    const excess = this.extent.count - maxEvents;
    const youngest = this.now() - maxAgeMs;
    const oldest = this.db.query<{ seq: number; id: string; time: number }, [number, number]>(
      "SELECT seq, id, time FROM nodes WHERE seq <= ? ORDER BY seq LIMIT ?",
    );
    let last: { seq: number; id: string } | undefined;
    let count = 0;
    for (const row of oldest.all(this.extent.indexed, SLICE_SIZE)) {
      if (count >= excess && row.time >= youngest) break;
      last = row;
      count++;
    }
    if (!last) return { count: 0, pruned: "" };
    for (const sql of remove) this.db.query<null, [number]>(sql).run(last.seq);
    setMark(this.db, "pruned", last.id);
    return { count, pruned: last.id };
  }
}
