import type { Database } from "bun:sqlite";
import { openSqlite } from "../../../src/storage/index.js";
import type { Task } from "../board/task.js";

const MIGRATIONS = [
  `CREATE TABLE fact (
     task TEXT PRIMARY KEY,
     assignee TEXT,
     status TEXT NOT NULL,
     created_at TEXT NOT NULL,
     updated_at TEXT NOT NULL,
     done_at TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX fact_by_creation ON fact (created_at);
   CREATE INDEX fact_by_completion ON fact (done_at) WHERE done_at IS NOT NULL;`,
];

/** Older news than what is known changes nothing: so events and catching up may overlap. */
const RECORD = `
  INSERT INTO fact (task, assignee, status, created_at, updated_at, done_at)
  VALUES ($id, $assignee, $status, $createdAt, $updatedAt, iif($status = 'done', $updatedAt, NULL))
  ON CONFLICT (task) DO UPDATE SET
    assignee = excluded.assignee,
    status = excluded.status,
    updated_at = excluded.updated_at,
    done_at = iif(excluded.status = 'done', coalesce(done_at, excluded.done_at), NULL)
  WHERE excluded.updated_at >= updated_at AND status <> 'deleted'`;

const LEAD_SECONDS = "(julianday(done_at) - julianday(created_at)) * 86400";

/** What happened on one day, UTC. */
export interface Day {
  /** `2026-01-31`. */
  date: string;
  created: number;
  done: number;
}

/** The work of one assignee. */
export interface AssigneeReport {
  assignee: string;
  done: number;
  unfinished: number;
  /** From creation to completion, in seconds; null when nothing is done. */
  meanLeadSeconds: number | null;
}

/** One row for each task that was ever on the board, deleted ones included. */
export class ReportStore {
  readonly #path: string;
  #opened: Database | undefined;

  /** @param path Where the database is: relative paths are inside the data folder. */
  constructor(path = "reports.db") {
    this.#path = path;
  }

  open(): void {
    this.#opened = openSqlite(this.#path, { migrations: MIGRATIONS });
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  /** Notes what a task is like now. It is on disk when this returns. */
  record(task: Task): void {
    this.#db.query(RECORD).run({
      $id: task.id,
      $assignee: task.assignee ?? null,
      $status: task.status,
      $createdAt: task.createdAt,
      $updatedAt: task.updatedAt,
    });
  }

  /** Notes that a task is gone; what was done of it stays in the reports. */
  recordDeletion(id: string): void {
    this.#db.query("UPDATE fact SET status = 'deleted' WHERE task = ?").run(id);
  }

  /** Makes up for what happened while nobody listened. `tasks` are all that are on the board. */
  catchUp(tasks: readonly Task[]): void {
    const present = new Set(tasks.map(({ id }) => id));
    this.#db.transaction(() => {
      for (const task of tasks) this.record(task);
      const known = this.#db.query("SELECT task FROM fact WHERE status <> 'deleted'").all() as {
        task: string;
      }[];
      for (const { task } of known) if (!present.has(task)) this.recordDeletion(task);
    })();
  }

  totals(): { created: number; done: number; deleted: number; meanLeadSeconds: number | null } {
    return this.#db
      .query(
        `SELECT count(*) AS created, count(done_at) AS done,
                count(*) FILTER (WHERE status = 'deleted') AS deleted, avg(${LEAD_SECONDS}) AS meanLeadSeconds
         FROM fact`,
      )
      .get() as ReturnType<ReportStore["totals"]>;
  }

  /** The last `days` days up to and including that of `today`, oldest first. */
  days(days: number, today: Date): Day[] {
    return this.#db
      .query(
        `WITH RECURSIVE day (date, left) AS (
           SELECT date($today), $days
           UNION ALL
           SELECT date(date, '-1 day'), left - 1 FROM day WHERE left > 1
         )
         SELECT date,
           (SELECT count(*) FROM fact WHERE created_at >= date AND created_at < date(date, '+1 day')) AS created,
           (SELECT count(*) FROM fact WHERE done_at >= date AND done_at < date(date, '+1 day')) AS done
         FROM day ORDER BY date`,
      )
      .all({ $today: today.toISOString(), $days: days }) as Day[];
  }

  /** Who has done most comes first. */
  assignees(): AssigneeReport[] {
    return this.#db
      .query(
        `SELECT assignee, count(done_at) AS done,
                count(*) FILTER (WHERE status NOT IN ('done', 'deleted')) AS unfinished,
                avg(${LEAD_SECONDS}) AS meanLeadSeconds
         FROM fact WHERE assignee IS NOT NULL
         GROUP BY assignee ORDER BY done DESC, assignee`,
      )
      .all() as AssigneeReport[];
  }

  get #db(): Database {
    if (!this.#opened) throw new Error("the reports' database is not open");
    return this.#opened;
  }
}
