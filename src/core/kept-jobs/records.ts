/** Job records on disk: one file per job, so that the cost of a job does not depend on their number. */
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { discard, readWithMark, replaceFile, setAside } from "../files.js";
import type { KeptJob } from "../kept-jobs.js";
import type { Logger } from "../log.js";
import { systemErrorCode } from "../storage-error.js";

/** The maximum size of a record in bytes; enough for any tool result. */
const MAX_BYTES = 1024 * 1024;

const SUFFIX = ".json";
const UNFINISHED = ".json.tmp";

/** Reads and writes records. No method throws: failures are logged, and the job continues. */
export class JobRecords<T extends KeptJob> {
  constructor(
    private readonly folder: string,
    private readonly log: Logger,
  ) {}

  /** All records, in the order in which the jobs ended. */
  read(): T[] {
    const jobs: T[] = [];
    for (const name of this.#names()) {
      if (name.endsWith(UNFINISHED)) discard(join(this.folder, name));
      if (!name.endsWith(SUFFIX)) continue;
      const job = this.#readOne(join(this.folder, name), name.slice(0, -SUFFIX.length));
      if (job) jobs.push(job);
    }
    const endOf = ({ finishedAt, startedAt }: T) => finishedAt ?? startedAt;
    return jobs.sort((a, b) => Number(endOf(a) > endOf(b)) - Number(endOf(a) < endOf(b)));
  }

  /** Writes a record without blocking. Resolves with the reason if it could not be written. */
  async write(job: T, durable: boolean): Promise<string | undefined> {
    try {
      await replaceFile(this.#pathOf(job.id), textOf(job), { durable, mode: 0o600 });
      return undefined;
    } catch (error) {
      const why = messageOf(error);
      // Logged once, not for each further write.
      if (job.warning === undefined)
        this.log.warn(`the job ${job.id} cannot be saved for after a restart: ${why}`);
      return why;
    }
  }

  /** Deletes a record. */
  async remove(id: string): Promise<void> {
    try {
      await rm(this.#pathOf(id), { force: true });
    } catch (error) {
      this.log.warn(`the record of the job ${id} cannot be removed: ${messageOf(error)}`);
    }
  }

  #pathOf(id: string): string {
    return join(this.folder, id + SUFFIX);
  }

  #names(): string[] {
    try {
      return readdirSync(this.folder);
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") {
        this.log.warn(`jobs from before the start cannot be read: ${messageOf(error)}`);
      }
      return [];
    }
  }

  #readOne(path: string, id: string): T | undefined {
    try {
      const file = readWithMark(path);
      if (!file) return undefined;
      const job = jobIn(file.bytes, id);
      if (job) return job as T;
      this.log.warn(`the record of a job was damaged and was moved to ${setAside(path)}`);
    } catch (error) {
      this.log.warn(`the record of a job cannot be read: ${messageOf(error)}`);
    }
    return undefined;
  }
}

/** A job as JSON. If it is too large, its largest fields are omitted and listed in `leftOut`. */
function textOf({ warning: _, ...job }: KeptJob): string {
  let text = JSON.stringify(job);
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  const kept: Record<string, unknown> = { ...job };
  const leftOut: string[] = [];
  const sizes = Object.entries(job).map(
    ([name, value]) => [name, JSON.stringify(value)?.length ?? 0] as const,
  );
  for (const [name] of sizes.sort(([, a], [, b]) => b - a)) {
    delete kept[name];
    leftOut.push(name);
    text = JSON.stringify({ ...kept, leftOut });
    if (Buffer.byteLength(text) <= MAX_BYTES) break;
  }
  return text;
}

function jobIn(bytes: Uint8Array, id: string): KeptJob | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const { id: own, status, startedAt, finishedAt = "" } = Object(value) as Record<string, unknown>;
  const isJob = own === id && [status, startedAt, finishedAt].every((field) => typeof field === "string");
  return isJob ? (value as KeptJob) : undefined;
}
