/** Which services the operator has switched off; persisted across restarts. */
import { join } from "node:path";
import { isA, messageOf } from "../errors.js";
import { readWithMark, setAside, writeFileAtomic } from "../files.js";
import type { Logger } from "../log.js";
import { StorageError } from "../storage-error.js";

/** A service that is switched off. */
export interface Disabled {
  name: string;
  dirName: string;
  /** ISO 8601. */
  since: string;
  reason?: string;
}

/** Reads and writes `<data>/.reef/disabled.json`. */
export class Switches {
  readonly #path: string;
  readonly #disabled = new Map<string, Disabled>();

  /**
   * A damaged file is set aside and logged.
   *
   * @throws StorageError when the file exists and cannot be read: services would run that were switched off.
   */
  constructor(dataDir: string, log: Logger) {
    this.#path = join(dataDir, ".reef", "disabled.json");
    const kept = readKept(this.#path);
    if (!kept) return;
    try {
      for (const entry of parse(new TextDecoder().decode(kept.bytes)))
        this.#disabled.set(entry.dirName, entry);
    } catch (error) {
      const problem = `${this.#path} is damaged (${messageOf(error)})`;
      log.error(`${problem}: it was ${moveAway(this.#path)}; services that it disabled may run again.`);
    }
  }

  list(): Disabled[] {
    return [...this.#disabled.values()];
  }

  isDisabled(dirName: string): boolean {
    return this.#disabled.has(dirName);
  }

  /** Switches a folder off. Throws when that cannot be saved; nothing has changed then. */
  disable(entry: Disabled): void {
    this.#save(new Map(this.#disabled).set(entry.dirName, entry));
    this.#disabled.set(entry.dirName, entry);
  }

  enable(dirName: string): void {
    const next = new Map(this.#disabled);
    if (!next.delete(dirName)) return;
    this.#save(next);
    this.#disabled.delete(dirName);
  }

  #save(entries: ReadonlyMap<string, Disabled>): void {
    writeFileAtomic(this.#path, JSON.stringify([...entries.values()], null, 2));
  }
}

function readKept(path: string): ReturnType<typeof readWithMark> {
  try {
    return readWithMark(path);
  } catch (error) {
    const cause = isA(error, StorageError) ? error.cause : error;
    const problem = `${path} cannot be read (${messageOf(cause)})`;
    const message = `${problem}; it lists the disabled services. Move it away to start without it.`;
    throw new StorageError("STORAGE_IO", message, { path, cause });
  }
}

function parse(text: string): Disabled[] {
  const known: unknown = JSON.parse(text);
  if (Array.isArray(known) && known.every(isDisabled)) return known;
  throw new TypeError("it is not a list of services");
}

function isDisabled(value: unknown): value is Disabled {
  const { name, dirName } = Object(value) as Partial<Record<keyof Disabled, unknown>>;
  return typeof name === "string" && typeof dirName === "string";
}

/** Sets a damaged file aside and describes the outcome. */
function moveAway(path: string): string {
  try {
    return `moved to ${setAside(path)}`;
  } catch (error) {
    return `left in place: ${messageOf(error)}`;
  }
}
