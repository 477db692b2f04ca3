/** Durable and atomic file operations. */
// The default import keeps each call visible to a spy: their order is what survives a power cut.
import fs from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf } from "./errors.js";
import { assertRegularFile, openRegularFile } from "./regular-file.js";
import { StorageError, systemErrorCode, toStorageError } from "./storage-error.js";

const CAN_OPEN_FOLDERS = process.platform !== "win32";

/** Syncs a folder, so that created, renamed and removed names survive a power cut. */
export function syncFolder(folder: string): void {
  syncAfter(folder, () => undefined);
}

/** Runs `change` and syncs the folder. The folder is opened first, so that nothing has changed if that fails. */
function syncAfter(folder: string, change: () => void): void {
  const fd = CAN_OPEN_FOLDERS ? fs.openSync(folder, "r") : undefined;
  try {
    change();
    if (fd !== undefined) fs.fsyncSync(fd);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Creates a folder and its parents durably. */
export function ensureFolder(folder: string): void {
  const leaf = resolve(folder);
  const topmost = fs.mkdirSync(leaf, { recursive: true });
  if (topmost === undefined) return;
  for (let at = leaf; at.length >= topmost.length; at = dirname(at)) syncFolder(dirname(at));
}

/** Writes all bytes at the current file position, in as many calls as needed. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done);
}

/** Identifies the state of a file: equal marks mean that it was not replaced or changed in between. */
export type FileMark = string | undefined;

/**
 * The current mark of a file; `undefined` when it does not exist.
 *
 * @throws StorageError `STORAGE_IO` when the file cannot be inspected.
 */
export function markOf(path: string): FileMark {
  try {
    const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat && describe(stat);
  } catch (error) {
    throw toStorageError(error, path);
  }
}

function describe(stat: fs.BigIntStats): string {
  return `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

/**
 * Replaces a file atomically and returns its new mark. When this returns, the new content is on disk; when it
 * throws, or the machine stops, the old content is intact. One exception: if the final sync of the folder
 * fails, it throws although the new content is in place, and a power cut may restore the old one. The mode of
 * an existing file is kept. Symbolic links are followed: their target is replaced or created.
 *
 * @param mode Permission bits of a new file, `0o666` less the umask unless given.
 * @throws StorageError `STORAGE_FULL` when there is no space, else `STORAGE_IO`.
 *
 * @example
 * writeFileAtomic("/srv/reef/data/theme.json", JSON.stringify({ dark: true }));
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode?: number): FileMark {
  try {
    return replaceAtomic(behindLinks(path), data, mode);
  } catch (error) {
    throw toStorageError(error, path);
  }
}

function replaceAtomic(path: string, data: string | Uint8Array, mode: number | undefined): FileMark {
  const temporary = `${path}.tmp`;
  try {
    ensureFolder(dirname(path));
    const old = fs.statSync(path, { throwIfNoEntry: false });
    // A device or a pipe that a link leads to may be everybody's.
    if (old) assertRegularFile(old);
    const mark = writeTemporary(temporary, data, old?.mode ?? mode);
    syncAfter(dirname(path), () => fs.renameSync(temporary, path));
    return mark;
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

/** Deletes an unfinished file, which may occupy the last free blocks. Never throws; a failure is logged. */
export function discard(unfinished: string): void {
  try {
    if (fs.statSync(unfinished, { throwIfNoEntry: false })?.isFile()) fs.rmSync(unfinished);
  } catch (error) {
    console.warn(`reef: ${unfinished} cannot be removed: ${messageOf(error)}`);
  }
}

/** The number of links that Linux follows. */
const MAX_LINKS = 40;

/** The path behind all symbolic links; it need not exist. */
function behindLinks(path: string): string {
  let at = path;
  for (let followed = 0; followed <= MAX_LINKS; followed++) {
    if (!fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
    // Relative to the link's real folder, which may itself be reached through a link.
    at = resolve(fs.realpathSync(dirname(at)), fs.readlinkSync(at));
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links, ${path}`), { code: "ELOOP" });
}

/**
 * Like {@link writeFileAtomic}, but asynchronous. For files with a single writer; calls for one path must not
 * overlap.
 *
 * @param how `durable: false` skips the sync, for files that may be lost in a power cut; `mode` are the
 *   permission bits,
 * `0o666` less the umask by default.
 * @throws StorageError `STORAGE_FULL` when there is no space, else `STORAGE_IO`.
 */
export async function replaceFile(
  path: string,
  data: string | Uint8Array,
  { durable = true, mode }: { durable?: boolean; mode?: number } = {},
): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    ensureFolder(dirname(path));
    const write = async (file: fs.promises.FileHandle) => {
      await file.writeFile(data);
      if (durable) await file.sync();
    };
    await withFile(temporary, "w", write, mode);
    if (!durable || !CAN_OPEN_FOLDERS) return await fs.promises.rename(temporary, path);
    await withFile(dirname(path), "r", async (folder) => {
      await fs.promises.rename(temporary, path);
      await folder.sync();
    });
  } catch (error) {
    discard(temporary);
    throw toStorageError(error, path);
  }
}

async function withFile(
  path: string,
  flags: string,
  use: (file: fs.promises.FileHandle) => Promise<void>,
  mode?: number,
): Promise<void> {
  const file = await fs.promises.open(path, flags, mode);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

function writeTemporary(path: string, data: string | Uint8Array, mode: number | undefined): FileMark {
  const fd = fs.openSync(path, "w", 0o600);
  try {
    fs.fchmodSync(fd, mode === undefined ? 0o666 & ~process.umask() : mode & 0o7777);
    writeAll(fd, typeof data === "string" ? new TextEncoder().encode(data) : data);
    // File system timestamps may not advance for some milliseconds, but marks must differ.
    const now = (Date.now() + (performance.now() % 1)) / 1000;
    fs.futimesSync(fd, now, now);
    fs.fsyncSync(fd);
    return describe(fs.fstatSync(fd, { bigint: true }));
  } finally {
    fs.closeSync(fd);
  }
}

/** An unused name beside `path`, such as `tasks.json.corrupt-2026-01-31T12-00-00.000Z`. */
export function asideName(path: string, why: "corrupt" | "torn" | "replaced"): string {
  const stamp = new Date().toISOString().replaceAll(":", "-");
  for (let attempt = 1; ; attempt++) {
    const name = `${path}.${why}-${stamp}${attempt > 1 ? `-${attempt}` : ""}`;
    if (!fs.existsSync(name)) return name;
  }
}

/**
 * Renames a damaged file or folder to an unused name beside it and returns that name. For a symbolic link, its
 * target is renamed. `companions` are suffixes of related files, such as `-wal`, which are renamed along with
 * it.
 *
 * @throws StorageError `STORAGE_CORRUPT` when it cannot be moved; it must not be written to then.
 */
export function setAside(path: string, companions: string[] = []): string {
  try {
    const file = behindLinks(path);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    // A device or a pipe that a link leads to may be everybody's.
    if (stat && !stat.isDirectory()) assertRegularFile(stat);
    const name = asideName(file, "corrupt");
    for (const suffix of ["", ...companions]) {
      if (fs.existsSync(file + suffix)) fs.renameSync(file + suffix, name + suffix);
    }
    syncFolder(dirname(file));
    return name;
  } catch (error) {
    const reason = messageOf(error);
    const message = `${path} is damaged and cannot be moved (${reason}); it was left in place`;
    throw new StorageError("STORAGE_CORRUPT", message, { path, cause: error });
  }
}

/**
 * The content and the mark of a file; `undefined` when it does not exist.
 *
 * @throws StorageError `STORAGE_IO` when it cannot be read.
 */
export function readWithMark(path: string): { bytes: Uint8Array; mark: FileMark } | undefined {
  try {
    const fd = openRegularFile(path);
    try {
      return { bytes: fs.readFileSync(fd), mark: describe(fs.fstatSync(fd, { bigint: true })) };
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw toStorageError(error, path);
  }
}
