/** Handles uncaught errors and rejections: those of services are reported, all others behave as before. */
import process from "node:process";
import { setImmediate } from "node:timers";
import { FleetError } from "../client.js";
import { reportToService } from "./owner-context.js";

/** The file in which an error was thrown, as it appears in stack traces. */
export function sourceOf(error: Error): string | undefined {
  for (const line of error.stack?.split("\n").slice(1) ?? []) {
    const found = /((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()\s]*?):\d+(?::\d+)?\)?$/.exec(line.trim());
    if (found) return found[1];
  }
  return undefined;
}

type Guard = (error: unknown) => boolean;
type Kind = keyof typeof KINDS;

/** The keys, by process event, under which all copies of this code share their guards. */
const KINDS = {
  unhandledRejection: Symbol.for("reef.rejectionGuards"),
  uncaughtException: Symbol.for("reef.exceptionGuards"),
};

/** The guards for a process event. There is one listener per process, whichever copy of this code installed it. */
function guards(kind: Kind): Set<Guard> {
  const shared = globalThis as { [key: symbol]: Set<Guard> | undefined };
  const known = shared[KINDS[kind]];
  if (known) return known;
  const all = new Set<Guard>();
  shared[KINDS[kind]] = all;
  listen(kind, all);
  return all;
}

/**
 * Installs the listener. For errors that no guard handles and no other listener receives, it restores the
 * default behaviour, which ends the process.
 */
function listen(kind: Kind, all: Set<Guard>): void {
  const listener = (error: unknown) => {
    if ([...all].some((guard) => guard(error))) return;
    if (process.listenerCount(kind) > 1) return;
    process.off(kind, listener);
    setImmediate(() => process.on(kind, listener));
    if (kind === "unhandledRejection") void Promise.reject(error);
    else process.nextTick(raise, error);
  };
  process.on(kind, listener);
}

/**
 * Rethrows an error from within the engine, which would otherwise print the throwing line, in a bundle the
 * whole bundle.
 */
function raise(error: unknown): void {
  const target = new EventTarget();
  target.addEventListener("raise", () => {
    throw error;
  });
  target.dispatchEvent(new Event("raise"));
}

/**
 * Reports unhandled errors of services instead of letting them end the process: those from the code of an
 * `Owner`, from Reef's client, or from `file`. All others are left to other listeners and the engine.
 */
export function guardUnhandled(report: (error: unknown) => void, file: string | undefined): void {
  const guard: Guard = (error) => {
    if (reportToService(error)) return true;
    const ours = error instanceof FleetError || (file !== undefined && names(error, file));
    if (ours) report(error);
    return ours;
  };
  for (const kind of Object.keys(KINDS) as Kind[]) guards(kind).add(guard);
}

/** The maximum depth of an error's cause chain. */
const MAX_CAUSES = 5;

/** Whether an error was thrown in `file`, or by what was called from there. */
function names(error: unknown, file: string): boolean {
  let cause = error;
  for (let i = 0; i < MAX_CAUSES && cause instanceof Error; i++) {
    if ((cause.stack ?? "").includes(file)) return true;
    cause = cause.cause;
  }
  return false;
}
