/**
 * What can go wrong with the event log:
 * - `invalid`: the event, cursor or query is malformed; `status` 400
 * - `unknown-parent`: an explicit `parentId` names no event; `status` 400
 * - `full`: there is no room on the disk; publishing works again once there is; `status` 507
 * - `overloaded`: more is being published than the disk takes; `status` 503
 * - `closed`: the log has been closed; `status` 503
 */
export type EventLogErrorCode = "invalid" | "unknown-parent" | "full" | "overloaded" | "closed";

const statuses = { invalid: 400, "unknown-parent": 400, full: 507, overloaded: 503, closed: 503 } as const;

/** An event was not stored, or a question about events could not be answered. Nothing was changed. */
export class EventLogError extends Error {
  override readonly name = "EventLogError";
  /** The HTTP status that says the same. */
  readonly status: (typeof statuses)[EventLogErrorCode];

  constructor(
    readonly code: EventLogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = statuses[code];
  }
}

const noRoom = new Set(["STORAGE_FULL", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "ENOSPC", "EDQUOT"]);

function meansNoRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && noRoom.has(String(error.code))) || meansNoRoom(error.cause);
}

/** Turns "no room" failures of SQLite and the file system into an {@link EventLogError}; keeps all others. */
export function toLogError(error: unknown): unknown {
  if (error instanceof EventLogError || !meansNoRoom(error)) return error;
  return new EventLogError("full", "There is no room on the disk: the event was not stored.", {
    cause: error,
  });
}
