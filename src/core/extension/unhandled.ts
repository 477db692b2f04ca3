/** Failures for which nobody waits: those of services must not end the agent, all others do so as ever. */
import process from "node:process";
import { setImmediate } from "node:timers";
import { FleetError } from "../client.js";
import { reportToService } from "./owner-context.js";

/** The file that an error was thrown in, as the running engine spells it. */
export function sourceOf(error: Error): string | undefined {
  for (const line of error.stack?.split("\n").slice(1) ?? []) {
    const found = /((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()\s]*?):\d+(?::\d+)?\)?$/.exec(line.trim());
    if (found) return found[1];
  }
  return undefined;
}

type Guard = (error: unknown) => boolean;
type Kind = keyof typeof KINDS;

/** By what the engine tells: where all copies of this code in the process keep their guards. */
const KINDS = {
  unhandledRejection: Symbol.for("reef.rejectionGuards"),
  uncaughtException: Symbol.for("reef.exceptionGuards"),
};

/** One listener of each kind for the process, whichever file it came from; later copies add their guards to it. */
function guards(kind: Kind): Set<Guard> {
  const shared = globalThis as { [key: symbol]: Set<Guard> | undefined };
  const known = shared[KINDS[kind]];
  if (known) return known;
  const all = new Set<Guard>();
  shared[KINDS[kind]] = all;
  listen(kind, all);
  return all;
}

/** Without our listener the engine would end the process for what no guard takes; with it, that stays as it was. */
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

/** Throws from within the engine, which shows the line that threw: that of a bundle is as long as the bundle. */
function raise(error: unknown): void {
  const target = new EventTarget();
  target.addEventListener("raise", () => {
    throw error;
  });
  target.dispatchEvent(new Event("raise"));
}

/**
 * Reports what services left unattended, instead of letting it end the process: what came from the code of an
 * `Owner`, from Reef's client or from `file`. The rest is left to whoever else listens, and to the engine.
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

/** How many causes of an error are looked at. */
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
