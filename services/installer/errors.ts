/** Why something was not installed, updated or removed. */

import { messageOf } from "../../src/core/errors.js";
import { systemErrorCode } from "../../src/core/storage-error.js";

/** How far an operation came. */
export type Step =
  | "source"
  | "fetch"
  | "unpack"
  | "check"
  | "dependencies"
  | "validate"
  | "test"
  | "load"
  | "record"
  | "remove";

/** The statuses that the routes answer failures with. */
export type FailureStatus = 400 | 403 | 404 | 409 | 502 | 503 | 504 | 507;

/** Raised by every part of the installer for what its caller can understand and mend. */
export class InstallError extends Error {
  override name = "InstallError";
  constructor(
    readonly status: FailureStatus,
    readonly step: Step,
    message: string,
    /** Further fields of the reply. */
    readonly details: Record<string, unknown> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Whether the operating system does not let the server do something: write to a folder, for instance. */
export function isForbidden(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(systemErrorCode(error));
}

/** Such an error, as the caller can understand it; any other as it is. */
export function asForbidden(error: unknown, step: Step): unknown {
  if (!isForbidden(error)) return error;
  const message = `the server lacks permission on this machine: ${messageOf(error)}`;
  return new InstallError(503, step, message, {}, { cause: error });
}

/** Text from outside, fit for one line of a message: no control characters, not longer than `most`. */
export function printable(text: string, most = 200): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
