/** Where a store's file is, and whether the store may still be used. */
import { isAbsolute } from "node:path";
import { dataDir } from "../core/config.js";
import { hasEnded } from "../core/data-dir.js";
import { StorageError } from "../core/storage-error.js";
import { dataPath } from "./data-path.js";

/**
 * Absolute paths are taken as they are. Relative ones are in the data folder, which is looked up at first use, since
 * stores are made when a service is imported and the folder may be chosen later. It then stays, until whoever chose
 * the folder says that it has ended: the next use begins anew in the folder of its time.
 */
export class Place {
  readonly #given: string;
  readonly #moved: () => void;
  #home: { folder: string; path: string } | undefined;
  #closed = false;

  /**
   * @param moved Called when the file is another one from now on: nothing of what is known of the old one holds.
   * @throws StorageError `STORAGE_PATH`, at once, for a relative path that leaves the data folder.
   */
  constructor(path: string, moved: () => void = () => undefined) {
    if (!isAbsolute(path)) dataPath(path);
    this.#given = path;
    this.#moved = moved;
  }

  /** Absolute. */
  get path(): string {
    if (isAbsolute(this.#given)) return this.#given;
    this.#home ??= this.#look();
    if (hasEnded(this.#home.folder)) this.#move();
    return this.#home.path;
  }

  /**
   * The path, for a store that is about to do what `verb` says.
   *
   * @throws StorageError `STORAGE_CLOSED`.
   */
  use(verb: string): string {
    const { path } = this;
    if (!this.#closed) return path;
    throw new StorageError("STORAGE_CLOSED", `cannot ${verb} ${path}: it is closed`, { path });
  }

  /** Refuses further use of the file that is at this place now. */
  close(): void {
    void this.path;
    this.#closed = true;
  }

  #look(): { folder: string; path: string } {
    return { folder: dataDir(), path: dataPath(this.#given) };
  }

  #move(): void {
    const next = this.#look();
    if (next.folder === this.#home?.folder) return;
    this.#home = next;
    this.#closed = false;
    this.#moved();
  }
}
