/**
 * What a browser may do. The cookie goes along with every request to this host, so a request that carries it
 * must also show that the dashboard itself made it.
 */
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { ReefError } from "../../src/core/errors.js";
import type { Session, SessionStore } from "./sessions.js";

export const COOKIE = "reef_session";
/** The header that the dashboard's own script sends; no form and no foreign page can. */
export const UI_HEADER = "x-reef-ui";

const SAFE = new Set(["GET", "HEAD"]);

/** Refuses requests under a name that is not ours: a foreign name that resolves to this machine. */
export function assertHost(c: Context, allowedHosts: readonly string[]): void {
  // What a client sends as its host need not make up a URL.
  const host = URL.parse(c.req.url)?.hostname.toLowerCase() ?? "";
  const header = (c.req.header("host") ?? host).replace(/:\d+$/, "").toLowerCase();
  if (allowedHosts.includes(host) && allowedHosts.includes(header)) return;
  throw new ReefError(
    "FORBIDDEN",
    `host "${header.slice(0, 100)}" is not allowed; add it to REEF_ALLOWED_HOSTS`,
  );
}

/** Refuses requests that another site made a browser send. `Origin` and `Sec-Fetch-Site` cannot be forged by pages. */
export function assertSameOrigin(c: Context): void {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  const own = new URL(c.req.url).host;
  const foreign =
    (site !== undefined && site !== "same-origin" && site !== "none") ||
    (origin !== undefined && hostOf(origin) !== own);
  if (foreign) throw new ReefError("FORBIDDEN", "cross-site requests are not allowed");
}

/**
 * Whether another site led the browser to this page: the cookie does not go along with that, and does when the page
 * loads itself anew.
 */
export function isLedHere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  return (
    (site === "cross-site" || site === "same-site") &&
    c.req.header("sec-fetch-mode") === "navigate" &&
    c.req.header("sec-fetch-dest") === "document"
  );
}

/** Refuses a browser that would show a panel without the dashboard's page around it, whose policy holds it. */
export function assertFramed(c: Context, page: string): void {
  const wanted = c.req.header("sec-fetch-dest");
  if (wanted === undefined || wanted === "iframe") return;
  throw new ReefError("FORBIDDEN", `a panel can only be opened inside the dashboard; go to ${page}`);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** The session of a request, or a 401. Requests that change something must come from the dashboard's script. */
export function requireSession(c: Context, sessions: SessionStore): Session {
  const session = sessions.find(getCookie(c, COOKIE));
  if (!session) throw new ReefError("UNAUTHORIZED", "not logged in, or the session has expired");
  if (!SAFE.has(c.req.method)) {
    assertSameOrigin(c);
    if (c.req.header(UI_HEADER) === undefined) {
      throw new ReefError("FORBIDDEN", `requests that change something require the header ${UI_HEADER}`);
    }
  }
  return session;
}

/** At most `limit` failures in `windowMs` for each address. */
export class FailureLimit {
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(
    readonly limit = 10,
    readonly windowMs = 60_000,
    readonly now: () => number = Date.now,
  ) {}

  /** Whether this address has failed too often. */
  isReached(address: string): boolean {
    const entry = this.#failures.get(address);
    return entry !== undefined && entry.until > this.now() && entry.count >= this.limit;
  }

  /** Throws a 429 when this address has failed too often. */
  assert(address: string): void {
    if (this.isReached(address))
      throw new ReefError("TOO_MANY_REQUESTS", "too many failed logins; wait a minute");
  }

  failed(address: string): void {
    const now = this.now();
    for (const [known, { until }] of this.#failures) if (until <= now) this.#failures.delete(known);
    const entry = this.#failures.get(address) ?? { count: 0, until: now + this.windowMs };
    entry.count++;
    this.#failures.set(address, entry);
  }
}
