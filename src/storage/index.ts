/** The public storage API: crash-safe JSON, JSONL and SQLite files. */
export { writeFileAtomic } from "../core/files.js";
export { GroupCommit } from "../core/group-commit.js";
export { StorageError, type StorageErrorCode } from "../core/storage-error.js";
export { dataDir, dataPath } from "./data-path.js";
export { JsonCollection, type JsonCollectionOptions } from "./json-collection.js";
export { JsonFile, type JsonFileOptions } from "./json-file.js";
export { type JsonlEntry, JsonlFile, type JsonlFileOptions, type JsonlReadOptions } from "./jsonl-file.js";
export type { OnReport, StorageReport } from "./report.js";
export { openSqlite, SqliteFile, type SqliteFileOptions, type SqliteOptions } from "./sqlite.js";
export type { Migration } from "./sqlite-migrations.js";
