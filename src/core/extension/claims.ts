/**
 * Ensures one Reef extension per session: a second installation does nothing, since duplicate tool names end an
 * agent.
 */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";

/** The installation that holds a session; `origin` is the file it was loaded from. */
interface Claim {
  origin: string | undefined;
}

const KEY = Symbol.for("reef.installations");

/** The claims, shared by all copies of this code in the process. */
function claims(): WeakMap<object, Claim> {
  const shared = globalThis as { [KEY]?: WeakMap<object, Claim> };
  shared[KEY] ??= new WeakMap();
  return shared[KEY];
}

/**
 * Claims a session, identified by the event bus that its extensions share. Returns the function that releases
 * it, or undefined when another installation holds it. The same file may claim again, because a session is
 * sometimes set up twice without ending the first attempt.
 */
export function claimSession(pi: ExtensionAPI, origin: string | undefined): (() => void) | undefined {
  const session = pi.events as object | undefined;
  if (typeof session !== "object" || session === null) return () => undefined;
  const holder = claims().get(session);
  if (holder && (origin === undefined || holder.origin !== origin)) return undefined;
  const claim: Claim = { origin };
  claims().set(session, claim);
  return () => {
    if (claims().get(session) === claim) claims().delete(session);
  };
}
