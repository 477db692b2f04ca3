import type { Database } from "bun:sqlite";
import { Tallies } from "./tallies.js";
import type { EventWriter, Extent } from "./writer.js";

/** How long events are kept; what is absent does not limit. */
export interface Retention {
  /** Keep the newest so many events. */
  maxEvents?: number;
  /** Keep events for so many milliseconds. */
  maxAgeMs?: number;
}

/** Events that are removed in one transaction; small, so that requests get their turn in between. */
const sliceSize = 200;

/** Removes the oldest events, slice by slice, until what is left is within the limits. */
export class Pruner {
  readonly #tallies: Tallies;
  readonly #oldest;
  readonly #remove;
  readonly #removeWords;
  readonly #mark;
  #running: Promise<number> | null = null;
  #stopped = false;

  constructor(
    db: Database,
    private readonly writer: EventWriter,
    private readonly extent: Extent,
    private readonly now: () => number,
  ) {
    this.#tallies = new Tallies(db);
    this.#oldest = db.query<
      { seq: number; id: string; type: string; source: string; time: number },
      [number]
    >("SELECT seq, id, type, source, time FROM nodes ORDER BY seq LIMIT ?");
    this.#remove = db.query<null, [number]>("DELETE FROM nodes WHERE seq <= ?");
    this.#removeWords = db.query<null, [number]>("DELETE FROM words WHERE rowid = ?");
    this.#mark = db.query<null, [string]>(
      "INSERT INTO marks (name, value) VALUES ('pruned', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
  }

  /** Whether there is certainly something to remove by count; cheap. */
  exceeds(retention: Retention, slack: number): boolean {
    return retention.maxEvents !== undefined && this.#tallies.total() > retention.maxEvents + slack;
  }

  /** Resolves with the number of events removed. A second call while one is under way joins it. */
  run(retention: Retention): Promise<number> {
    this.#running ??= this.#runAll(retention).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Ends after the slice that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #runAll(retention: Retention): Promise<number> {
    let removed = 0;
    while (!this.#stopped) {
      const slice = await this.writer.change(() => this.#slice(retention));
      if (slice.count > 0) this.extent.pruned = slice.pruned;
      removed += slice.count;
      if (slice.count < sliceSize) break;
      // Two turns of the loop: what arrived during the slice is served before the next one.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    return removed;
  }

  #slice({ maxEvents = Infinity, maxAgeMs = Infinity }: Retention): { count: number; pruned: string } {
    this.#tallies.discard();
    const excess = this.#tallies.total() - maxEvents;
    const youngest = this.now() - maxAgeMs;
    let last: { seq: number; id: string } | undefined;
    let count = 0;
    for (const row of this.#oldest.all(sliceSize)) {
      if (count >= excess && row.time >= youngest) break;
      this.#removeWords.run(row.seq);
      this.#tallies.count(row.type, row.source, -1);
      last = row;
      count++;
    }
    if (!last) return { count: 0, pruned: "" };
    this.#remove.run(last.seq);
    this.#tallies.write();
    this.#mark.run(last.id);
    return { count, pruned: last.id };
  }
}
