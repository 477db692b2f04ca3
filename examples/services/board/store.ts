import type { Database } from "bun:sqlite";
import { ReefError } from "../../../src/core/errors.js";
import { SqliteFile } from "../../../src/storage/index.js";
import { STATUSES, type Status, type Task, type TaskFilter } from "./task.js";

/** Each task is one JSON document; the generated columns are what lists are filtered and ordered by. */
const MIGRATIONS = [
  `CREATE TABLE task (
     id TEXT PRIMARY KEY,
     document TEXT NOT NULL,
     status TEXT GENERATED ALWAYS AS (document ->> 'status') VIRTUAL,
     assignee TEXT GENERATED ALWAYS AS (document ->> 'assignee') VIRTUAL,
     created_by TEXT GENERATED ALWAYS AS (document ->> 'createdBy') VIRTUAL,
     score INTEGER GENERATED ALWAYS AS (document ->> 'score') VIRTUAL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX task_by_status ON task (status, score DESC, id);
   CREATE INDEX task_by_assignee ON task (assignee, status);`,
  `CREATE TABLE dependency (
     task TEXT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
     needs TEXT NOT NULL REFERENCES task (id),
     PRIMARY KEY (task, needs)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX dependency_by_needs ON dependency (needs);`,
];

const CONDITIONS: Record<string, string> = {
  status: "status = $status",
  assignee: "assignee = $assignee",
  createdBy: "created_by = $createdBy",
  tag: "EXISTS (SELECT 1 FROM json_each(document, '$.tags') WHERE value = $tag)",
};

interface Row {
  document: string;
}

/** A task before and after one change. */
export interface Change {
  task: Task;
  previous: Task;
}

/** The tasks, in a SQLite database. What a promise resolves with is on disk. */
export class BoardStore {
  readonly #file: SqliteFile;

  /** @param path Where the database is: relative paths are inside the data folder. */
  constructor(path = "board.db") {
    this.#file = new SqliteFile({ path, migrations: MIGRATIONS });
  }

  get(id: string): Task | undefined {
    return find(this.#file.db, id);
  }

  /** The tasks that match, highest score first, then oldest first; `total` counts those beyond `limit` too. */
  list({ limit = -1, offset = 0, ...filter }: TaskFilter = {}): { tasks: Task[]; total: number } {
    const where = Object.keys(filter).map((field) => CONDITIONS[field]);
    const matching = `FROM task ${where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""}`;
    const values = Object.fromEntries(Object.entries(filter).map(([field, value]) => [`$${field}`, value]));
    const { db } = this.#file;
    const rows = db
      .query(`SELECT document ${matching} ORDER BY score DESC, id LIMIT $limit OFFSET $offset`)
      .all({ ...values, $limit: limit, $offset: offset }) as Row[];
    const { total } = db.query(`SELECT count(*) AS total ${matching}`).get(values) as { total: number };
    return { tasks: rows.map(toTask), total };
  }

  /** How many tasks there are in each status. */
  counts(): Record<Status, number> {
    const rows = this.#file.db.query("SELECT status, count(*) AS tasks FROM task GROUP BY status").all();
    const counts = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
    for (const { status, tasks } of rows as { status: Status; tasks: number }[]) counts[status] = tasks;
    return counts;
  }

  /** @throws ReefError `BAD_REQUEST` for a dependency that does not exist. */
  async add(task: Task): Promise<Task> {
    await this.#file.write((db) => {
      db.query("INSERT INTO task (id, document) VALUES (?, ?)").run(task.id, JSON.stringify(task));
      setDependencies(db, task);
    });
    return task;
  }

  /**
   * Replaces a task by what `change` makes of it; two updates of one task never lose one another's work.
   *
   * @throws ReefError `NOT_FOUND`; `BAD_REQUEST` for a dependency that does not exist; `CONFLICT` for a cycle;
   * whatever `change` throws. The task is then as it was.
   */
  update(id: string, change: (task: Task) => Task): Promise<Change> {
    return this.#file.write((db) => {
      const previous = found(db, id);
      const task = change(previous);
      db.query("UPDATE task SET document = ? WHERE id = ?").run(JSON.stringify(task), id);
      if (task.dependencies !== previous.dependencies) setDependencies(db, task);
      return { task, previous };
    });
  }

  /** Removes a task and returns it. @throws ReefError `NOT_FOUND`; `CONFLICT` while others depend on it. */
  remove(id: string): Promise<Task> {
    return this.#file.write((db) => {
      const task = found(db, id);
      const dependents = db.query("SELECT task FROM dependency WHERE needs = ?").all(id) as {
        task: string;
      }[];
      if (dependents.length > 0) {
        const ids = dependents.map((dependent) => dependent.task).join(", ");
        throw new ReefError("CONFLICT", `other tasks depend on this one: ${ids}`);
      }
      db.query("DELETE FROM task WHERE id = ?").run(id);
      return task;
    });
  }

  /** Opens the database, so that a problem with it shows when the service starts. */
  open(): void {
    this.#file.open();
  }

  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}

const toTask = (row: Row): Task => JSON.parse(row.document);

function find(db: Database, id: string): Task | undefined {
  const row = db.query("SELECT document FROM task WHERE id = ?").get(id) as Row | null;
  return row ? toTask(row) : undefined;
}

function found(db: Database, id: string): Task {
  const task = find(db, id);
  if (!task) throw unknownTask(id);
  return task;
}

/** The error for an id that no task has. */
export function unknownTask(id: string): ReefError {
  return new ReefError("NOT_FOUND", `there is no task with the id ${JSON.stringify(id.slice(0, 100))}`);
}

function setDependencies(db: Database, { id, dependencies }: Task): void {
  db.query("DELETE FROM dependency WHERE task = ?").run(id);
  for (const needs of dependencies) {
    if (!find(db, needs)) {
      throw new ReefError(
        "BAD_REQUEST",
        `dependencies: there is no task with the id ${JSON.stringify(needs)}`,
      );
    }
    db.query("INSERT INTO dependency (task, needs) VALUES (?, ?)").run(id, needs);
  }
  const cycle = db
    .query(
      `WITH RECURSIVE needed (id) AS (
         SELECT needs FROM dependency WHERE task = $id
         UNION
         SELECT dependency.needs FROM dependency JOIN needed ON dependency.task = needed.id
       )
       SELECT 1 FROM needed WHERE id = $id`,
    )
    .get({ $id: id });
  if (cycle) throw new ReefError("CONFLICT", "dependencies: the task would depend on itself");
}
