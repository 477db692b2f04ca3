/** Remembers which code has passed a check or served before, so that it is not tried again. */
import { messageOf } from "../errors.js";
import { yieldToEventLoop } from "../event-loop.js";
import { readWithMark, replaceFile } from "../files.js";

/** The number of digests kept across restarts, most recent first. */
const MAX_REMEMBERED = 5000;

/** A set of digests. With a path, it is persisted as a JSON list. */
export class KnownCode {
  readonly #path: string | undefined;
  readonly #digests: Set<string>;
  #unsaved = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(path: string | undefined) {
    this.#path = path;
    this.#digests = new Set(read(path));
  }

  get isEmpty(): boolean {
    return this.#digests.size === 0;
  }

  has(digest: string): boolean {
    return this.#digests.has(digest);
  }

  add(digest: string): void {
    const isNew = !this.#digests.delete(digest);
    // Re-inserted, so that it counts as the most recent.
    this.#digests.add(digest);
    for (const oldest of this.#digests) {
      if (this.#digests.size <= MAX_REMEMBERED) break;
      this.#digests.delete(oldest);
    }
    if (!isNew || this.#unsaved || !this.#path) return;
    this.#unsaved = true;
    this.#saving = this.#saving.then(yieldToEventLoop).then(() => this.#save());
  }

  /** Resolves when additions have been saved, or could not be. */
  saved(): Promise<void> {
    return this.#saving;
  }

  /** Failures are only logged: losing the file costs one check for each service. */
  async #save(): Promise<void> {
    this.#unsaved = false;
    const path = this.#path;
    if (!path) return;
    try {
      await replaceFile(path, JSON.stringify([...this.#digests]), { durable: false });
    } catch (error) {
      console.warn(`reef: cannot remember checked code in ${path}: ${messageOf(error)}`);
    }
  }
}

function read(path: string | undefined): string[] {
  if (!path) return [];
  try {
    const kept = readWithMark(path);
    if (!kept) return [];
    const known: unknown = JSON.parse(new TextDecoder().decode(kept.bytes));
    return Array.isArray(known) ? known.filter((digest) => typeof digest === "string") : [];
  } catch (error) {
    console.warn(`reef: ${path} is unreadable; all services are checked again: ${messageOf(error)}`);
    return [];
  }
}
