/** Errors of stored files, and their classification. */
import { messageOf } from "./errors.js";

/**
 * What went wrong with a stored file:
 * - `STORAGE_FULL`: no space or quota left; nothing of the write was kept (HTTP 507)
 * - `STORAGE_CORRUPT`: the file is damaged and could not be set aside
 * - `STORAGE_SHAPE`: a value, or a readable file, does not have the expected shape
 * - `STORAGE_VERSION`: the file was written by a newer version of its service
 * - `STORAGE_PATH`: a path that would leave the data folder
 * - `STORAGE_CLOSED`: used after `close()`
 * - `STORAGE_BUSY`: another process holds the file (HTTP 503)
 * - `STORAGE_IO`: any other refusal of the operating system, such as missing rights
 */
export type StorageErrorCode =
  | "STORAGE_FULL"
  | "STORAGE_CORRUPT"
  | "STORAGE_SHAPE"
  | "STORAGE_VERSION"
  | "STORAGE_PATH"
  | "STORAGE_CLOSED"
  | "STORAGE_BUSY"
  | "STORAGE_IO";

/** A failure of stored data. `cause` is the error of the system or of SQLite, if there was one. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** The file concerned, when it is known. */
  readonly path: string | undefined;

  constructor(code: StorageErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.path = options.path;
  }
}

/** The code of a system or SQLite error (`"ENOSPC"`, `"SQLITE_FULL"` …), or `""`. */
export function systemErrorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG", "SQLITE_FULL"]);

/** Whether an error means that there is no space or quota left. */
export function isFull(error: unknown): boolean {
  const known = toStorageError(error);
  return known instanceof StorageError && known.code === "STORAGE_FULL";
}

function classify(code: string): { code: StorageErrorCode; what: string } | undefined {
  if (FULL.has(code)) return { code: "STORAGE_FULL", what: "no space left to write" };
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return { code: "STORAGE_CORRUPT", what: "damaged:" };
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return { code: "STORAGE_BUSY", what: "locked by another writer:" };
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM)/.test(code)) return { code: "STORAGE_IO", what: "cannot use" };
  if (/^E[A-Z0-9]+$/.test(code)) return { code: "STORAGE_IO", what: "cannot use" };
  return undefined;
}

/**
 * Converts errors of the file system and of SQLite's storage into a `StorageError`. All others, such as
 * violated constraints and errors of the caller, are returned unchanged.
 */
export function toStorageError(error: unknown, path?: string): unknown {
  if (error instanceof StorageError) return error;
  const kind = classify(systemErrorCode(error));
  if (!kind) return error;
  const detail = messageOf(error);
  const options = path === undefined ? { cause: error } : { path, cause: error };
  return new StorageError(kind.code, `${kind.what} ${path ?? "the file"} (${detail})`, options);
}
