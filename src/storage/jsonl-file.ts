/** An append-only file with one JSON entry per line. */
import fs from "node:fs";
import { dirname } from "node:path";
import type { TSchema } from "@sinclair/typebox";
import { BatchQueue } from "../core/batch-queue.js";
import { ensureFolder, syncFolder, writeAll } from "../core/files.js";
import { assertRegularFile } from "../core/regular-file.js";
import { toStorageError } from "../core/storage-error.js";
import { checkShape, jsonText } from "./json-value.js";
import { lineRange, linesBackward, linesForward, type RawLine } from "./jsonl-lines.js";
import { repairTail } from "./jsonl-repair.js";
import { type OnReport, sendReport } from "./report.js";
import { StorePath } from "./store-path.js";

/** Options of a {@link JsonlFile}. */
export interface JsonlFileOptions {
  /** Where the file is: relative paths are inside the data folder. */
  path: string;
  /** Checked when an entry is appended. */
  schema?: TSchema;
  /** Permission bits of a new file, `0o666` less the umask unless given. */
  mode?: number;
  /** Receives reports about damaged lines. Default: `console.warn`. */
  onReport?: OnReport;
}

/** Which entries to read. */
export interface JsonlReadOptions<T> {
  /** Only entries after this position: the `end` of an entry, or the result of `append()`. */
  since?: number;
  /** The maximum number of entries. */
  limit?: number;
  /** A filter. */
  where?: (entry: T) => boolean;
  /** Reads from the end of the file towards its start. */
  newestFirst?: boolean;
}

/** An entry and its position. `start` and `end` are byte offsets; `end` is the offset after its line. */
export interface JsonlEntry<T> {
  entry: T;
  start: number;
  end: number;
}

interface QueuedLine {
  bytes: Uint8Array;
  resolve(end: number): void;
  reject(error: unknown): void;
}

/**
 * An append-only file with one JSON entry per line, for logs and histories.
 *
 * Entries appended in one tick share one write and one sync. The file is open only while it is written or read.
 * Before each write, an incomplete last line left by a crash is moved to a file of its own; unreadable lines
 * elsewhere are skipped, reported and left in place.
 *
 * @example
 * const visits = new JsonlFile<{ who: string; at: string }>({ path: "visits.jsonl" });
 * await visits.append({ who: "ada", at: new Date().toISOString() });
 * for await (const { entry } of visits.read({ newestFirst: true, limit: 10 })) console.log(entry.who);
 */
export class JsonlFile<T> {
  readonly #storePath: StorePath;
  readonly #options: JsonlFileOptions;
  readonly #queue = new BatchQueue<QueuedLine>((lines) => this.#write(lines));
  readonly #knownDamage = new Set<number>();
  #nameIsDurable = false;

  /** @throws StorageError `STORAGE_PATH`. */
  constructor(options: JsonlFileOptions) {
    this.#storePath = new StorePath(options.path, () => {
      this.#knownDamage.clear();
      this.#nameIsDurable = false;
    });
    this.#options = options;
  }

  /** The file's absolute path. */
  get path(): string {
    return this.#storePath.path;
  }

  /**
   * Appends an entry. Resolves with the byte offset after its line once it is on disk; pass it as `since` to a
   * later read.
   *
   * Rejects with a `StorageError`: `STORAGE_FULL` (nothing of the entry is kept), `STORAGE_SHAPE`,
   * `STORAGE_CLOSED`, `STORAGE_IO`.
   */
  async append(entry: T): Promise<number> {
    this.#storePath.use("append to");
    const what = `an entry of ${this.path}`;
    checkShape(this.#options.schema, entry, what);
    const bytes = new TextEncoder().encode(`${jsonText(entry, what)}\n`);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#queue.push({ bytes, resolve, reject });
    return promise;
  }

  /**
   * Iterates over the entries that were on disk when the read began, in file order or newest first, without
   * loading the whole file.
   *
   * @throws StorageError `STORAGE_SHAPE` when `since` is not the end of a line,
   *   `STORAGE_IO` when the file is replaced meanwhile, `STORAGE_CLOSED`.
   */
  async *read(options: JsonlReadOptions<T> = {}): AsyncGenerator<JsonlEntry<T>> {
    this.#storePath.use("read");
    const { limit = Number.POSITIVE_INFINITY, where, newestFirst = false } = options;
    const range = lineRange(this.path, options.since ?? 0);
    if (!range || limit <= 0) return;
    const damaged: number[] = [];
    let count = 0;
    try {
      for await (const line of newestFirst ? linesBackward(range) : linesForward(range)) {
        if (line.bytes.length === 0) continue;
        const entry = parseLine<T>(line);
        if (!entry) damaged.push(line.start);
        if (!entry || (where && !where(entry.entry))) continue;
        yield entry;
        if (++count >= limit) return;
      }
    } finally {
      this.#reportDamage(damaged);
    }
  }

  /** The entries of {@link read} as an array. */
  async list(options: JsonlReadOptions<T> = {}): Promise<T[]> {
    const entries: T[] = [];
    for await (const { entry } of this.read(options)) entries.push(entry);
    return entries;
  }

  /** Creates and repairs the file now, so that problems surface here rather than at first use. */
  open(): this {
    this.#storePath.use("open");
    this.#withFile((fd) => this.#repair(fd));
    return this;
  }

  /** Writes all queued entries before it returns. Failures reject the promises of their entries. */
  flush(): void {
    this.#queue.flush();
  }

  /** Flushes, then refuses further use. Idempotent. */
  close(): void {
    this.flush();
    this.#storePath.close();
  }

  #write(lines: QueuedLine[]): void {
    const ends: number[] = [];
    try {
      this.#withFile((fd) => {
        this.#repair(fd);
        const { size } = fs.fstatSync(fd);
        this.#appendOrUndo(fd, size, Buffer.concat(lines.map((line) => line.bytes)));
        for (const { bytes } of lines) ends.push((ends.at(-1) ?? size) + bytes.length);
      });
    } catch (error) {
      const failure = toStorageError(error, this.path);
      for (const { reject } of lines) reject(failure);
      return;
    }
    for (const [index, end] of ends.entries()) lines[index]?.resolve(end);
  }

  /** Truncates the file on failure: a partial batch would merge with the next line. */
  #appendOrUndo(fd: number, size: number, bytes: Uint8Array): void {
    try {
      writeAll(fd, bytes);
      fs.fdatasyncSync(fd);
      if (size === 0 || !this.#nameIsDurable) syncFolder(dirname(this.path));
      this.#nameIsDurable = true;
    } catch (error) {
      fs.ftruncateSync(fd, size);
      throw error;
    }
  }

  #repair(fd: number): void {
    const report = repairTail(fd, this.path);
    if (report) sendReport(report, this.#options.onReport);
  }

  #withFile(use: (fd: number) => void): void {
    try {
      ensureFolder(dirname(this.path));
      const fd = fs.openSync(this.path, "a+", this.#options.mode);
      try {
        assertRegularFile(fs.fstatSync(fd));
        use(fd);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      throw toStorageError(error, this.path);
    }
  }

  #reportDamage(positions: number[]): void {
    const fresh = positions.filter((position) => !this.#knownDamage.has(position)).sort((a, b) => a - b);
    if (fresh.length === 0) return;
    for (const position of fresh) this.#knownDamage.add(position);
    const [position] = fresh as [number];
    const which =
      fresh.length === 1 ? `the line at byte ${position}` : `${fresh.length} lines from byte ${position} on`;
    const message = `${which} of ${this.path} cannot be read: skipped and left in place`;
    sendReport({ kind: "corrupt-lines", path: this.path, message, position }, this.#options.onReport);
  }
}

function parseLine<T>({ start, bytes }: RawLine): JsonlEntry<T> | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { entry: JSON.parse(text) as T, start, end: start + bytes.length + 1 };
  } catch {
    return undefined;
  }
}
