/** Copies of plugins' code: workers run the code that was accepted, whatever the plugin's folder contains later. */
import type { Dirent } from "node:fs";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { copyCode } from "../core/code/code-copy.js";
import { isCode } from "../core/code/code-files.js";
import { messageOf } from "../core/errors.js";
import { toStorageError } from "../core/storage-error.js";
import { ManifestError } from "./errors.js";

/** A reference-counted copy, deleted when it is no longer used. Its creator holds the first reference. */
export class CodeCopy {
  #users = 1;

  /** @param path The copy's real path. */
  constructor(readonly path: string) {}

  use(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0) void remove(this.path);
  }
}

/** Identifies this process, even in containers where each start has the same process id. */
const PROCESS = `${process.pid}-${Math.round(performance.timeOrigin)}-`;

/** The copies of one broker. */
export class CodeCopies {
  #own: Promise<string> | undefined;
  #count = 0;

  /** @param folder Used exclusively: leftovers of other processes are removed with the first copy. */
  constructor(private readonly folder: string) {}

  /**
   * Copies the code of `root`, a real path; rejected if it no longer matches `digest`. Everything else
   * (packages, dot-files, the folder's own `data`) is linked. Rejects with a `ManifestError` or a
   * `StorageError`.
   */
  async make(root: string, digest: string): Promise<CodeCopy> {
    this.#own ??= this.#prepare();
    const path = join(await this.#own, String(++this.#count));
    if (!(await copyCode(root, path, digest))) {
      const problem = "its files changed while being read; reload when they are complete";
      throw new ManifestError("package", problem, join(root, "package.json"));
    }
    try {
      await linkTheRest(root, path, "");
    } catch (error) {
      await remove(path);
      throw toStorageError(error, path);
    }
    return new CodeCopy(path);
  }

  async #prepare(): Promise<string> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const folder = await realpath(this.folder);
      for (const name of await readdir(folder))
        if (!name.startsWith(PROCESS)) await remove(join(folder, name));
      return await mkdtemp(join(folder, PROCESS));
    } catch (error) {
      this.#own = undefined;
      throw toStorageError(error, this.folder);
    }
  }

  /** Deletes all copies. */
  async close(): Promise<void> {
    if (this.#own) await remove(await this.#own);
  }
}

/**
 * Links everything that is not code. A code file missing from the copy was added later and has not been
 * accepted.
 */
async function linkTheRest(root: string, copy: string, below: string): Promise<void> {
  const copied = new Map<string, Dirent>();
  for (const entry of await readdir(join(copy, below), LISTED)) copied.set(entry.name, entry);
  for (const entry of await readdir(join(root, below), LISTED)) {
    const path = join(below, entry.name);
    const there = copied.get(entry.name);
    if (there?.isDirectory()) await linkTheRest(root, copy, path);
    if (there || (isCode(path) && entry.isFile())) continue;
    if (isCode(path) && entry.isDirectory()) await mkdir(join(copy, path));
    else await symlink(join(root, path), join(copy, path));
  }
}

const LISTED = { withFileTypes: true } as const;

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    console.warn(`reef: ${path} cannot be removed: ${messageOf(error)}`);
  }
}
