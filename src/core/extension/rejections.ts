/** Promises that a service starts and forgets: their failure must not end the agent. */
import { FleetError } from "../client.js";

/** The file that an error was thrown in, as the running engine spells it. */
export function sourceOf(error: Error): string | undefined {
  for (const line of error.stack?.split("\n").slice(1) ?? []) {
    const found = /((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()\s]*?):\d+(?::\d+)?\)?$/.exec(line.trim());
    if (found) return found[1];
  }
  return undefined;
}

const GUARDS = Symbol.for("reef.rejectionGuards");

type Guard = (reason: unknown) => boolean;

/** One listener for the process, whichever file it came from; later copies add their guards to it. */
function guards(): Set<Guard> {
  const shared = globalThis as { [GUARDS]?: Set<Guard> };
  if (shared[GUARDS]) return shared[GUARDS];
  const all = new Set<Guard>();
  shared[GUARDS] = all;
  const listener = (reason: unknown) => {
    if ([...all].some((guard) => guard(reason))) return;
    // Without this listener the engine would have ended the process; with it, that stays as it was.
    if (process.listenerCount("unhandledRejection") === 1) throw reason;
  };
  process.on("unhandledRejection", listener);
  return all;
}

/**
 * Reports forgotten rejections that come from Reef's client or from `file`, instead of letting them end the
 * process. Others are left to whoever else listens, and to the engine.
 */
export function guardRejections(report: (error: unknown) => void, file: string | undefined): void {
  guards().add((reason) => {
    const ours =
      reason instanceof FleetError ||
      (reason instanceof Error && file !== undefined && (reason.stack ?? "").includes(file));
    if (ours) report(reason);
    return ours;
  });
}
