import { describe, expect, test } from "bun:test";
import { StorageError, toStorageError } from "./storage-error.js";

const withCode = (code: string) => Object.assign(new Error(`${code}: refused`), { code });

describe("toStorageError", () => {
  test.each([
    ["ENOSPC", "STORAGE_FULL"],
    ["EDQUOT", "STORAGE_FULL"],
    ["SQLITE_FULL", "STORAGE_FULL"],
    ["SQLITE_CORRUPT_VTAB", "STORAGE_CORRUPT"],
    ["SQLITE_NOTADB", "STORAGE_CORRUPT"],
    ["SQLITE_BUSY", "STORAGE_BUSY"],
    ["SQLITE_IOERR_WRITE", "STORAGE_IO"],
    ["EACCES", "STORAGE_IO"],
  ])("%s becomes %s, with the file and the cause", (code, expected) => {
    const cause = withCode(code);
    const error = toStorageError(cause, "data/x.db") as StorageError;
    expect(error).toBeInstanceOf(StorageError);
    expect(error.code).toBe(expected as StorageError["code"]);
    expect(error.message).toContain("data/x.db");
    expect(error.cause).toBe(cause);
  });

  test.each([
    new Error("mine"),
    withCode("SQLITE_CONSTRAINT_UNIQUE"),
    withCode("ERR_INVALID_ARG_TYPE"),
    "text",
    new StorageError("STORAGE_CLOSED", "closed"),
  ])("leaves %p as it is", (error) => {
    expect(toStorageError(error, "data/x.db")).toBe(error);
  });
});
