/** The path of a store's file, and whether the store is closed. */
import { isAbsolute } from "node:path";
import { dataDir } from "../core/config.js";
import { hasEnded } from "../core/data-dir.js";
import { StorageError } from "../core/storage-error.js";
import { dataPath } from "./data-path.js";

/**
 * Resolves the path of a store's file. Absolute paths are used as they are. Relative paths are resolved against
 * the data folder at first use, because stores are created while a service is imported, before the folder may
 * be known. The result is kept until the data folder is retired (`endDataDir`); the next use then resolves the
 * path again.
 */
export class StorePath {
  readonly #configured: string;
  readonly #onMove: () => void;
  #resolved: { folder: string; path: string } | undefined;
  #closed = false;

  /**
   * @param onMove Called when the path changes; anything cached about the old file is then invalid.
   * @throws StorageError `STORAGE_PATH`, at once, for a relative path that leaves the data folder.
   */
  constructor(path: string, onMove: () => void = () => undefined) {
    if (!isAbsolute(path)) dataPath(path);
    this.#configured = path;
    this.#onMove = onMove;
  }

  /** The absolute path. */
  get path(): string {
    if (isAbsolute(this.#configured)) return this.#configured;
    this.#resolved ??= this.#resolve();
    if (hasEnded(this.#resolved.folder)) this.#move();
    return this.#resolved.path;
  }

  /**
   * The path, for an operation that `verb` describes in error messages.
   *
   * @throws StorageError `STORAGE_CLOSED`.
   */
  use(verb: string): string {
    const { path } = this;
    if (!this.#closed) return path;
    throw new StorageError("STORAGE_CLOSED", `cannot ${verb} ${path}: it is closed`, { path });
  }

  /** Closes the store for the file that it currently refers to. */
  close(): void {
    void this.path;
    this.#closed = true;
  }

  #resolve(): { folder: string; path: string } {
    return { folder: dataDir(), path: dataPath(this.#configured) };
  }

  #move(): void {
    const next = this.#resolve();
    if (next.folder === this.#resolved?.folder) return;
    this.#resolved = next;
    this.#closed = false;
    this.#onMove();
  }
}
