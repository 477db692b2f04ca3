/** The errors of discovering, loading and exchanging services. */
import { isA, messageOf } from "./errors.js";
import { isFull } from "./storage-error.js";
import { truncate } from "./truncate.js";

/** The step at which a load failed. */
export type FailureStep = "find" | "import" | "check" | "order" | "init" | "verify" | "swap";

/** The codes of load failures, with advice for authors. `docs/ERRORS.md` lists them. */
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

/** The stable code of a load failure. */
export type LoadFailureCode = keyof typeof LOAD_FAILURES;

/** Failures that are expensive to reproduce: they take a full timeout, or the child process. */
export const COSTLY_FAILURES: ReadonlySet<LoadFailureCode> = new Set<LoadFailureCode>([
  "IMPORT_TIMEOUT",
  "INIT_TIMEOUT",
  "PROCESS_ENDED",
]);

/** The HTTP statuses of failed changes. */
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
 * The HTTP status of a failed change: 404 for something missing, 409 for a conflict, 503 for what the server
 * could not do, 507 when it could not save for lack of space, else 400.
 */
export function failureStatus({ code, cause }: Pick<LoadFailure, "code" | "cause">): FailureStatus {
  if (code === "UNKNOWN") return 404;
  if (code === "CHECK_FAILED" || code === "SHUTTING_DOWN") return 503;
  if (code === "FLUSH_FAILED") return isFull(cause) ? 507 : 503;
  return CONFLICTS.has(code) ? 409 : 400;
}

/** A service and its missing dependencies. */
export interface Lack {
  name: string;
  dependencies: readonly string[];
}

/** Half a log line. The failing code contributes to the message, and `/health` shows it. */
const MAX_MESSAGE = 4096;

/** A folder that cannot be loaded, or a change that failed. `message` is one line for people, of bounded length. */
export class LoadFailure extends Error {
  override name = "LoadFailure";
  /** For `MISSING_DEPENDENCY`: the service and its missing dependencies. */
  readonly lacks: Lack | undefined;
  /** The digests, by folder, of the dependencies that were started before this code in a trial. */
  startedAfter: ReadonlyMap<string, string | undefined> | undefined;
  constructor(
    readonly code: LoadFailureCode,
    readonly step: FailureStep,
    message: string,
    options?: { cause?: unknown; lacks?: Lack },
  ) {
    super(truncate(message, MAX_MESSAGE), options);
    this.lacks = options?.lacks;
  }
}

/** The failure of requests made while the server shuts down. */
export function shuttingDown(): LoadFailure {
  return new LoadFailure("SHUTTING_DOWN", "find", "the server is shutting down.");
}

/** The failure of loading a folder that the operator has switched off. */
export function switchedOff(dirName: string): LoadFailure {
  const message = `"${dirName}" is disabled; POST /services/enable/${dirName} enables it.`;
  return new LoadFailure("DISABLED", "find", message);
}

/** The failure of an `init` that requests a change which waits for that `init`; `circle` lists the folders. */
export function initCycle(circle: readonly string[]): LoadFailure {
  const [folder] = circle;
  const message =
    circle.length > 2
      ? `init() of folder "${folder}" would wait for itself: ${circle.join(" → ")}.`
      : `init() of folder "${folder}" requests a change of that folder, which waits for init().`;
  return new LoadFailure("INIT_CYCLE", "init", message);
}

/** Converts anything thrown while reading a folder into a load failure. */
export function asLoadFailure(error: unknown): LoadFailure {
  if (isA(error, LoadFailure)) return error;
  return new LoadFailure("UNREADABLE", "find", `the folder cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}

/** The failure of a service with missing dependencies. */
export function missingDependency(name: string, needs: readonly string[]): LoadFailure {
  const list = needs.map((need) => `"${need}"`).join(", ");
  const message = `Missing dependency ${list} of "${name}".`;
  return new LoadFailure("MISSING_DEPENDENCY", "order", message, { lacks: { name, dependencies: needs } });
}

/** The failure of services that depend on each other; `cycle` is the path from a service back to itself. */
export function dependencyCycle(cycle: readonly string[]): LoadFailure {
  return new LoadFailure("DEPENDENCY_CYCLE", "order", `dependency cycle: ${cycle.join(" → ")}.`);
}

/** The failure of a folder whose code changed while it was being loaded. */
export function changedMeanwhile(dirName: string): LoadFailure {
  return new LoadFailure("CHANGED", "find", `the files of "${dirName}" changed during the check; retry.`);
}
