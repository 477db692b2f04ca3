/**
 * A JSON file held in memory: loading, replacing and recovering it. The base of `JsonFile` and
 * `JsonCollection`.
 */
import { BatchQueue } from "../core/batch-queue.js";
import { type FileMark, markOf, readWithMark, setAside, writeFileAtomic } from "../core/files.js";
import { type OnReport, sendReport } from "./report.js";
import { StorePath } from "./store-path.js";

/** Options that all JSON files share. */
export interface JsonDocumentOptions {
  /** Where the file is: relative paths are inside the data folder. */
  path: string;
  /** Permission bits of a new file, for instance `0o600` for secrets. */
  mode?: number;
  /** Receives reports about damaged files. Default: `console.warn`. */
  onReport?: OnReport;
}

/** Thrown by a format for content that no version of the code can have written; the file is then set aside. */
export class DamagedContent extends Error {}

/** Converts between the state in memory and the content of the file. */
export interface JsonFormat<State> {
  /** The state while there is no file. */
  initial(): State;
  /** @throws DamagedContent or StorageError `STORAGE_SHAPE` */
  fromJson(raw: unknown): State;
  toText(state: State): string;
  /** A copy that changes may modify while `state` stays as it is. */
  draft(state: State): State;
}

/** The outcome of a change. With `changed: false` nothing is written. */
export interface Changed<State, Result> {
  state: State;
  result: Result;
  changed: boolean;
}

interface Loaded<State> {
  state: State;
  mark: FileMark;
  /** Set after a damaged file was set aside, until this state has been written to a new file. */
  mustWrite?: boolean;
}

interface QueuedChange<State> {
  apply(draft: State): { state: State; changed: boolean; settle: () => void };
  reject(error: unknown): void;
}

/**
 * A JSON file that is held in memory and replaced as a whole.
 *
 * The state in memory is always one that is on disk: changes queued in the same tick are applied to a draft in
 * order, and the draft becomes the state once it has been written. All file access is synchronous. Two
 * documents with the same path in one process, such as those of an old and a new generation of a service,
 * therefore never interleave, and each notices what the other wrote.
 */
export class JsonDocument<State> {
  readonly #storePath: StorePath;
  readonly #options: JsonDocumentOptions;
  readonly #format: JsonFormat<State>;
  readonly #queue = new BatchQueue<QueuedChange<State>>((changes) => this.#write(changes));
  #loaded: Loaded<State> | undefined;

  constructor(options: JsonDocumentOptions, format: JsonFormat<State>) {
    this.#storePath = new StorePath(options.path, () => {
      this.#loaded = undefined;
    });
    this.#options = options;
    this.#format = format;
  }

  /** The file's absolute path. */
  get path(): string {
    return this.#storePath.path;
  }

  /** The state that is on disk now. */
  current(): State {
    const mark = markOf(this.#storePath.use("read"));
    if (!this.#loaded || this.#loaded.mark !== mark) this.#loaded = this.#load();
    return this.#loaded.state;
  }

  /** Queues a change. Resolves with its result once the new state is on disk. */
  async change<Result>(change: (draft: State) => Changed<State, Result>): Promise<Result> {
    this.#storePath.use("write to");
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const apply = (draft: State) => {
      const { state, result, changed } = change(draft);
      return { state, changed, settle: () => resolve(result) };
    };
    this.#queue.push({ apply, reject });
    return promise;
  }

  /** Writes all queued changes synchronously. Failures reject the promises of their changes. */
  flush(): void {
    this.#queue.flush();
  }

  /** Flushes, then refuses further use with `STORAGE_CLOSED`. */
  close(): void {
    this.flush();
    this.#storePath.close();
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
      if (this.#loaded?.mustWrite) return this.#replace(this.#loaded.state);
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

  /**
   * Sets the damaged file aside and continues with the state in memory if there is one, else with the initial
   * state.
   */
  #recover(damage: string): Loaded<State> {
    const copy = setAside(this.path);
    const outcome = this.#loaded ? "written again from memory" : "started from its initial content";
    this.#report("corrupt", `${this.path} ${damage}: moved to ${copy}, ${outcome}`, copy);
    if (!this.#loaded) return { state: this.#format.initial(), mark: undefined };
    this.#loaded.mustWrite = true;
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
