/** Hints about what differs in the environment of trials. */
import { resolve } from "node:path";
import { systemErrorCode } from "../storage-error.js";

const NO_DATA =
  " (New code is tried with an empty data folder, as on a new machine: it should work without that file.)";

const PORT_IN_USE =
  " (New code is tried and started beside the running version, which may be what has the port: let the service take a free one, or remove it before.)";

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
