import { JsonlFile } from "../../../src/storage/index.js";

/** One line of the log. */
export interface LogEntry {
  /** UUIDv7. */
  id: string;
  /** When the server took it in, ISO 8601 UTC. */
  timestamp: string;
  text: string;
  /** Who wrote it. */
  agent?: string;
}

/** Which entries to read; times in milliseconds since 1970. */
export interface LogRange {
  since?: number;
  until?: number;
  /** At most so many, the newest ones. */
  limit: number;
}

/** The log, kept in an append-only file with one JSON object a line. */
export class LogStore {
  readonly #file: JsonlFile<LogEntry>;

  /** @param path Where the file is: relative paths are inside the data folder. */
  constructor(path = "log.jsonl") {
    this.#file = new JsonlFile({ path });
  }

  /** Adds an entry and resolves with it once it is on disk. */
  async append(text: string, agent?: string): Promise<LogEntry> {
    const entry: LogEntry = { id: Bun.randomUUIDv7(), timestamp: new Date().toISOString(), text };
    if (agent !== undefined) entry.agent = agent;
    await this.#file.append(entry);
    return entry;
  }

  /** The newest entries of a range, oldest first. `since` and `until` are part of it. */
  async query({ since = 0, until = Number.POSITIVE_INFINITY, limit }: LogRange): Promise<LogEntry[]> {
    const where = (entry: LogEntry) => {
      const time = isEntry(entry) ? Date.parse(entry.timestamp) : Number.NaN;
      return since <= time && time <= until;
    };
    return (await this.#file.list({ where, limit, newestFirst: true })).reverse();
  }

  /** Creates the file, so that a problem with it shows when the service starts. */
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

/** The file is anybody's to edit, and a line may be JSON without being an entry. */
function isEntry(line: unknown): line is LogEntry {
  const { timestamp, text, agent } = Object(line) as Record<string, unknown>;
  const isNamed = agent === undefined || typeof agent === "string";
  return typeof timestamp === "string" && typeof text === "string" && isNamed;
}
