/** What is different where code is tried, and where it runs, for those whose code fails on it. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { systemErrorCode } from "../storage-error.js";

const NO_DATA =
  " (New code is checked with an empty data folder, as on a new machine: it must work without that file.)";

const PORT_IN_USE =
  " (New code is checked and started beside the running version, which may be using the port: let the service use a free port, or unload it first.)";

/** What to add to the message of an error that was caused by `cause`; `data` is the folder of data, absolute. */
export function hintFor(cause: unknown, data: string): string {
  try {
    const code = systemErrorCode(cause);
    if (code === "EADDRINUSE") return PORT_IN_USE;
    const { path } = Object(cause) as { path?: unknown };
    if (code !== "ENOENT" || typeof path !== "string") return "";
    return resolve(path).startsWith(`${data}/`) ? NO_DATA : "";
  } catch {
    // What code throws may be anything, and throw itself when it is looked at.
    return "";
  }
}

/** The same for code that runs where the server does: it may write to `data/…` by itself, and `REEF_DATA_DIR` may not be that. */
export function hintWhereItRuns(cause: unknown): string {
  try {
    const data = resolve("data");
    if (existsSync(data)) return "";
    const { path } = Object(cause) as { path?: unknown };
    const code = systemErrorCode(cause);
    const isBelow = code === "ENOENT" && typeof path === "string" && resolve(path).startsWith(`${data}/`);
    if (!isBelow && code !== "SQLITE_CANTOPEN") return "";
    return ` (There is no folder "data" in ${process.cwd()}, where the server runs: create it, or start Reef in the folder that contains it.)`;
  } catch {
    // What code throws may be anything, and throw itself when it is looked at.
    return "";
  }
}
