/** Why a folder could not become a running service. One kind of error for discovery, loading and swapping. */
import { isA, messageOf } from "./errors.js";
import { isFull } from "./storage-error.js";
import { truncate } from "./truncate.js";

/** How far a load came. */
export type FailureStep = "find" | "import" | "check" | "order" | "init" | "verify" | "swap";

/** Codes of load failures, with what an author does about each. `docs/ERRORS.md` lists them. */
export const LOAD_FAILURES = {
  BAD_FOLDER:
    "Folder names consist of at most 64 letters, digits, `-`, `_` and `.`, starting with a letter or digit.",
  NO_ENTRY: "The folder needs an `index.ts` that default-exports a ServiceModule.",
  UNREADABLE:
    "The folder or a file in it cannot be read, or its code has more than 5000 files or 256 MB; check permissions, links and size.",
  IMPORT_FAILED:
    "Importing `index.ts` failed; the message comes from the module. Run `node_modules/.bin/bun services/<folder>/index.ts` to see it.",
  IMPORT_TIMEOUT: "The import did not finish; look for a top-level `await` or a loop that never ends.",
  PROCESS_ENDED: "The code ended its process during the check; services must not call `process.exit()`.",
  CHECK_FAILED: "The server had no disk space or processes left to check the code; free some, then retry.",
  NO_DEFAULT_EXPORT: "`index.ts` needs `export default` with a ServiceModule object.",
  BAD_FIELD: "A field of the ServiceModule has the wrong type; the message names it.",
  BAD_NAME:
    "`name` must consist of at most 64 letters, digits, `-`, `_` and `.`, starting with a letter or digit.",
  RESERVED_NAME: "The name is reserved for the server; choose another.",
  DUPLICATE_NAME: "Another folder already provides a service of this name; rename one of them.",
  MISSING_DEPENDENCY: "A service named in `dependencies` is not loaded; add it or remove the dependency.",
  DEPENDENCY_CYCLE: "Services depend on each other in a cycle; remove one of the dependencies.",
  INIT_FAILED: "`init` threw or rejected; the message comes from it.",
  INIT_TIMEOUT: "`init` did not finish; look for a loop or a promise that never settles.",
  INIT_CYCLE:
    "`init` waits for a change that waits for this `init`; request the change without waiting for it, or later.",
  FLUSH_FAILED:
    "The running version could not save its store, so it was neither replaced nor stopped; the message comes from the store. Free some space or fix the store; stopping with force loses unsaved data.",
  VERIFY_FAILED:
    "The new version started but failed verification, so it was not swapped in; the message says where.",
  CHANGED: "The folder's files changed during the check; retry when nothing writes to them.",
  RENAMED: "The folder's service was renamed; unload the old name first.",
  IN_USE: "Other services depend on it; unload them first or use force.",
  PROTECTED: "This service cannot be removed while the server runs.",
  DISABLED: "The service is disabled; `POST /services/enable/<name>` enables it.",
  NO_SNAPSHOT: "No such version of the folder's code is kept; deploy a fixed version instead.",
  AMBIGUOUS:
    "The digest prefix matches several kept versions; use one of the prefixes that the message lists.",
  SHUTTING_DOWN: "The server is shutting down; retry after the restart.",
  UNKNOWN: "No service or folder has this name.",
} as const;

export type LoadFailureCode = keyof typeof LOAD_FAILURES;

/** Failures that take long to find out, or the process that the code is tried in with them. */
export const COSTLY_FAILURES: ReadonlySet<string> = new Set<LoadFailureCode>([
  "IMPORT_TIMEOUT",
  "INIT_TIMEOUT",
  "PROCESS_ENDED",
]);

export type FailureStatus = 400 | 404 | 409 | 503 | 507;

const CONFLICTS: ReadonlySet<LoadFailureCode> = new Set([
  "DUPLICATE_NAME",
  "IN_USE",
  "PROTECTED",
  "DISABLED",
  "CHANGED",
  "RENAMED",
  "NO_SNAPSHOT",
]);

/**
 * The HTTP status for a change that failed: 404 for what is not there, 409 for what stands in the way, 503 for what
 * the server could not do, 507 when that is for want of room to save, else 400.
 */
export function failureStatus({ code, cause }: Pick<LoadFailure, "code" | "cause">): FailureStatus {
  if (code === "UNKNOWN") return 404;
  if (code === "CHECK_FAILED" || code === "SHUTTING_DOWN") return 503;
  if (code === "FLUSH_FAILED") return isFull(cause) ? 507 : 503;
  return CONFLICTS.has(code) ? 409 : 400;
}

/** A service and the services that it needs and that are not there. */
export interface Lack {
  name: string;
  dependencies: readonly string[];
}

/** Half a line of the log. Failing code, which may say anything, has a say in the message, and `/health` shows it. */
const LONGEST_MESSAGE = 4096;

/** Raised when a folder cannot be loaded or a service cannot be changed. `message` is one line for people, of bounded length. */
export class LoadFailure extends Error {
  override name = "LoadFailure";
  /** For `MISSING_DEPENDENCY`: who lacks what. */
  readonly lacks: Lack | undefined;
  /** For code that was tried together with what it needs: what the folders of that held, by digest. */
  startedAfter: ReadonlyMap<string, string | undefined> | undefined;
  constructor(
    readonly code: LoadFailureCode,
    readonly step: FailureStep,
    message: string,
    options?: { cause?: unknown; lacks?: Lack },
  ) {
    super(truncate(message, LONGEST_MESSAGE), options);
    this.lacks = options?.lacks;
  }
}

/** For what is asked for while the server ends. */
export function shuttingDown(): LoadFailure {
  return new LoadFailure("SHUTTING_DOWN", "find", "the server is shutting down.");
}

/** For a folder that the operator has switched off. */
export function switchedOff(dirName: string): LoadFailure {
  const message = `"${dirName}" is disabled; POST /services/enable/${dirName} enables it.`;
  return new LoadFailure("DISABLED", "find", message);
}

/** For an `init` that asks for a change which waits for that `init`; `circle` has the folders. */
export function initCycle(circle: readonly string[]): LoadFailure {
  const [folder] = circle;
  const message =
    circle.length > 2
      ? `init() of folder "${folder}" would wait for itself: ${circle.join(" → ")}.`
      : `init() of folder "${folder}" requests a change of that folder, which waits for init().`;
  return new LoadFailure("INIT_CYCLE", "init", message);
}

/** Anything thrown while looking at a folder, as a load failure. */
export function asLoadFailure(error: unknown): LoadFailure {
  if (isA(error, LoadFailure)) return error;
  return new LoadFailure("UNREADABLE", "find", `the folder cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}

/** For a service that needs others which are not there. */
export function missingDependency(name: string, needs: readonly string[]): LoadFailure {
  const list = needs.map((need) => `"${need}"`).join(", ");
  const message = `Missing dependency ${list} of "${name}".`;
  return new LoadFailure("MISSING_DEPENDENCY", "order", message, { lacks: { name, dependencies: needs } });
}

/** For services that need each other; `cycle` is the path from a service back to itself. */
export function dependencyCycle(cycle: readonly string[]): LoadFailure {
  return new LoadFailure("DEPENDENCY_CYCLE", "order", `dependency cycle: ${cycle.join(" → ")}.`);
}

/** For a folder that came to hold other code than what was looked at before. */
export function changedMeanwhile(dirName: string): LoadFailure {
  return new LoadFailure("CHANGED", "find", `the files of "${dirName}" changed during the check; retry.`);
}
