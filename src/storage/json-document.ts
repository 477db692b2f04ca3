import { BatchQueue } from "../core/batch-queue.js";
import { type FileMark, markOf, readWithMark, setAside, writeFileAtomic } from "../core/files.js";
import { Place } from "./place.js";
import { type OnReport, sendReport } from "./report.js";

/** What every kind of JSON file can be given. */
export interface JsonDocumentOptions {
  /** Where the file is: relative paths are inside the data folder. */
  path: string;
  /** Permission bits of a new file, for instance `0o600` for secrets. */
  mode?: number;
  /** Told about damaged files; warns on the console unless given. */
  onReport?: OnReport;
}

/** Thrown by a format for content that no version of a service can have written. */
export class DamagedContent extends Error {}

/** How the state of a document relates to its file. */
export interface JsonFormat<State> {
  /** The state without a file. */
  initial(): State;
  /** @throws DamagedContent or StorageError `STORAGE_SHAPE` */
  fromJson(raw: unknown): State;
  toText(state: State): string;
  /** A state that changes may alter while `state` stays as it is. */
  draft(state: State): State;
}

/** The outcome of a change: `changed: false` means that there is nothing to write. */
export interface Changed<State, Result> {
  state: State;
  result: Result;
  changed: boolean;
}

interface Loaded<State> {
  state: State;
  mark: FileMark;
  /** Set while the file was set aside and there is no other yet: it is owed one with this state. */
  isOwed?: boolean;
}

interface QueuedChange<State> {
  apply(draft: State): { state: State; changed: boolean; settle: () => void };
  reject(error: unknown): void;
}

/**
 * A JSON file that is held in memory and replaced as a whole.
 *
 * The state in memory is always one that is on disk. Changes queued in one
 * tick are applied one after the other to a draft, which becomes the state
 * once it has been written. All file access is synchronous: within a process,
 * two documents of one path (the old and the new generation of a service)
 * never interleave, and each notices what the other wrote.
 */
export class JsonDocument<State> {
  readonly #place: Place;
  readonly #options: JsonDocumentOptions;
  readonly #format: JsonFormat<State>;
  readonly #queue = new BatchQueue<QueuedChange<State>>((changes) => this.#write(changes));
  #loaded: Loaded<State> | undefined;

  constructor(options: JsonDocumentOptions, format: JsonFormat<State>) {
    this.#place = new Place(options.path, () => {
      this.#loaded = undefined;
    });
    this.#options = options;
    this.#format = format;
  }

  /** Absolute. */
  get path(): string {
    return this.#place.path;
  }

  /** The state that is on disk now. */
  current(): State {
    const mark = markOf(this.#place.use("read"));
    if (!this.#loaded || this.#loaded.mark !== mark) this.#loaded = this.#load();
    return this.#loaded.state;
  }

  /** Queues a change. Resolves with its result once the outcome is on disk. */
  async change<Result>(change: (draft: State) => Changed<State, Result>): Promise<Result> {
    this.#place.use("write to");
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const apply = (draft: State) => {
      const { state, result, changed } = change(draft);
      return { state, changed, settle: () => resolve(result) };
    };
    this.#queue.push({ apply, reject });
    return promise;
  }

  /** Writes what is queued, now. Throws a `StorageError` when it cannot. */
  flush(): void {
    this.#queue.flush();
  }

  /** Flushes; whatever is asked for afterwards is refused. */
  close(): void {
    this.flush();
    this.#place.close();
  }

  #write(changes: QueuedChange<State>[]): void {
    const waiting: { settle: () => void; reject: (error: unknown) => void }[] = [];
    try {
      let state = this.#format.draft(this.current());
      let dirty = false;
      for (const { apply, reject } of changes) {
        try {
          const { state: next, changed, settle } = apply(state);
          state = next;
          dirty ||= changed;
          waiting.push({ settle, reject });
        } catch (error) {
          reject(error);
        }
      }
      if (dirty) this.#replace(state);
    } catch (error) {
      for (const { reject } of changes) reject(error);
      return;
    }
    for (const { settle } of waiting) settle();
  }

  #replace(state: State): Loaded<State> {
    const mark = writeFileAtomic(this.path, this.#format.toText(state), this.#options.mode);
    this.#loaded = { state, mark };
    return this.#loaded;
  }

  #load(): Loaded<State> {
    const file = readWithMark(this.path);
    if (!file) {
      if (this.#loaded?.isOwed) return this.#replace(this.#loaded.state);
      if (this.#loaded?.mark)
        this.#report("missing", `${this.path} was removed; continuing without its content`);
      return { state: this.#format.initial(), mark: undefined };
    }
    try {
      return { state: this.#format.fromJson(parseJson(file.bytes)), mark: file.mark };
    } catch (error) {
      if (!(error instanceof DamagedContent)) throw error;
      return this.#recover(error.message);
    }
  }

  /** Makes room for a file that is whole: with the content in memory if there is any, else the initial one. */
  #recover(damage: string): Loaded<State> {
    const copy = setAside(this.path);
    const outcome = this.#loaded ? "written again from memory" : "started from its initial content";
    this.#report("corrupt", `${this.path} ${damage}: moved to ${copy}, ${outcome}`, copy);
    if (!this.#loaded) return { state: this.#format.initial(), mark: undefined };
    this.#loaded.isOwed = true;
    return this.#replace(this.#loaded.state);
  }

  #report(kind: "corrupt" | "missing", message: string, copy?: string): void {
    const report = { kind, path: this.path, message, ...(copy === undefined ? {} : { setAside: copy }) };
    sendReport(report, this.#options.onReport);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new DamagedContent("is empty (0 bytes)");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DamagedContent(`is not JSON (${error instanceof Error ? error.message : error})`);
  }
}
