/** Hints about what differs between the environment of trials and that of running services. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { systemErrorCode } from "../storage-error.js";

const NO_DATA =
  " (New code is checked with an empty data folder, as on a new machine: it must work without that file.)";

const PORT_IN_USE =
  " (New code is checked and started beside the running version, which may be using the port: let the service use a free port, or unload it first.)";

/**
 * A hint to append to the message of an error caused by `cause`; `data` is the absolute path of the data
 * folder.
 */
export function hintFor(cause: unknown, data: string): string {
  try {
    const code = systemErrorCode(cause);
    if (code === "EADDRINUSE") return PORT_IN_USE;
    const { path } = Object(cause) as { path?: unknown };
    if (code !== "ENOENT" || typeof path !== "string") return "";
    return resolve(path).startsWith(`${data}/`) ? NO_DATA : "";
  } catch {
    // Thrown values may be anything, and may throw when inspected.
    return "";
  }
}

/** The same for code in the server's process, which may use the path `data/…` while `REEF_DATA_DIR` is another folder. */
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
    // Anything may be thrown, even an object whose getters throw.
    return "";
  }
}
