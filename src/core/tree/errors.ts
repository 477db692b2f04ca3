/** Errors of the event log. */
import { type ErrorCode, ReefError } from "../errors.js";

/**
 * What can go wrong with the event log:
 * - `invalid`: the event, cursor or query is malformed (400)
 * - `unknown-parent`: an explicit `parentId` names no event (400)
 * - `full`: there is no room on the disk; publishing works again once there is (507)
 * - `overloaded`: more is being published than the disk takes (503)
 * - `closed`: the log has been closed (503)
 */
export type EventLogReason = "invalid" | "unknown-parent" | "full" | "overloaded" | "closed";

const codes = {
  invalid: "BAD_REQUEST",
  "unknown-parent": "BAD_REQUEST",
  full: "STORAGE_FULL",
  overloaded: "BUSY",
  closed: "SHUTTING_DOWN",
} as const satisfies Record<EventLogReason, ErrorCode>;

/** An event that was not stored, or a query that failed. Nothing was changed. */
export class EventLogError extends ReefError {
  override readonly name = "EventLogError";

  constructor(
    readonly reason: EventLogReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(codes[reason], message);
    this.cause = options?.cause;
  }
}

const noRoom = new Set(["STORAGE_FULL", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "ENOSPC", "EDQUOT"]);

function meansNoRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && noRoom.has(String(error.code))) || meansNoRoom(error.cause);
}

/**
 * Converts out-of-space errors of SQLite and the file system into an {@link EventLogError}; returns all others
 * unchanged.
 */
export function toLogError(error: unknown): unknown {
  if (error instanceof EventLogError || !meansNoRoom(error)) return error;
  return new EventLogError("full", "The disk is full: the event was not stored.", {
    cause: error,
  });
}
