/** One Reef for each session: a second installation stands down, because two tools of one name end an agent. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";

/** Who holds a session; `origin` is the file it was loaded from. */
interface Claim {
  origin: string | undefined;
}

const KEY = Symbol.for("reef.installations");

/** Shared by all copies of this code in the process, whichever files they were loaded from. */
function claims(): WeakMap<object, Claim> {
  const shared = globalThis as { [KEY]?: WeakMap<object, Claim> };
  shared[KEY] ??= new WeakMap();
  return shared[KEY];
}

/**
 * Claims a session, which is known by the event bus that its extensions share. Returns the function that gives
 * it back, or undefined when another installation has it. The same file may claim again: a session is sometimes
 * set up twice without the first attempt being ended.
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
