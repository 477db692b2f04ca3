/**
 * Panels are other people's code. Each runs in a sandboxed frame with an opaque origin, and reaches nothing but
 * its own service, through an address that only it knows.
 */
import { randomBytes } from "node:crypto";
import { ReefError } from "../../src/core/errors.js";
import { hasPanel, PANEL_ROUTE } from "../../src/core/routes.js";
import type { ServiceContext } from "../../src/core/types.js";

/** What a panel's address stands for. */
interface Grant {
  service: string;
  session: string;
  /** Milliseconds since the epoch; each use puts it off. */
  expires: number;
}

const GRANT_MS = 15 * 60_000;
const MAX_GRANTS = 1000;

/** The addresses given to panels. They die with the session, and a quarter of an hour after their last use. */
export class PanelGrants {
  readonly #grants = new Map<string, Grant>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  issue(service: string, session: string): string {
    const now = this.#now();
    for (const [known, { expires }] of this.#grants) if (expires <= now) this.#grants.delete(known);
    const oldest = this.#grants.keys().next().value;
    if (this.#grants.size >= MAX_GRANTS && oldest !== undefined) this.#grants.delete(oldest);
    const token = randomBytes(24).toString("base64url");
    this.#grants.set(token, { service, session, expires: now + GRANT_MS });
    return token;
  }

  /** The grant behind an address, while its session lives. */
  find(token: string, isAlive: (session: string) => boolean): Grant | undefined {
    const grant = this.#grants.get(token);
    if (!grant || grant.expires <= this.#now() || !isAlive(grant.session)) return undefined;
    grant.expires = this.#now() + GRANT_MS;
    return grant;
  }
}

/** Services that a panel may call: its own, and those its module asks for with a capability `panel:<name>`. */
export function reachable(service: string, ctx: ServiceContext): Set<string> {
  const asked = ctx.getModule(service)?.capabilities ?? [];
  return new Set([service, ...asked.flatMap((text) => (text.startsWith("panel:") ? [text.slice(6)] : []))]);
}

const PANEL_MS = 5000;

/** The HTML fragment of a service's panel, or undefined when it has none. Rejects when it does not come in time. */
export async function readPanel(
  service: string,
  ctx: ServiceContext,
  patienceMs = PANEL_MS,
): Promise<string | undefined> {
  const late = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    reject(new ReefError("BUSY", `the panel of "${service}" did not load within ${patienceMs / 1000} s`));
  }, patienceMs);
  const read = async () => {
    const request = new Request(`http://reef.internal/${service}${PANEL_ROUTE}`, { signal: late.signal });
    const reply = await ctx.dispatch(request, { trusted: true });
    const isHtml = reply.headers.get("content-type")?.startsWith("text/html") === true;
    if (reply.status === 200 && isHtml) return reply.text();
    await reply.body?.cancel();
    return undefined;
  };
  try {
    return await Promise.race([read(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Names of the services that have a panel, in the order in which they were loaded. */
export const listPanels = (ctx: ServiceContext): string[] =>
  ctx
    .getModules()
    .filter(hasPanel)
    .map(({ name }) => name);

/** What the dashboard knows of a panel before it is opened. */
export interface PanelInfo {
  name: string;
  description: string;
  /** Changes with the service's code; the panel is loaded anew then. */
  version: string;
}

/** The panels as the dashboard lists them, by name: a tab stays where it was when its service is reloaded. */
export const describePanels = (ctx: ServiceContext): PanelInfo[] =>
  listPanels(ctx)
    .toSorted()
    .map((name) => ({
      name,
      description: ctx.getModule(name)?.description ?? "",
      version: ctx.registry.get(name)?.digest ?? "",
    }));

/** The policy of a panel's document. `api` is the address it may call. */
export function panelPolicy(api: string): string {
  return [
    "sandbox allow-scripts allow-forms",
    "default-src 'none'",
    "script-src 'unsafe-inline'",
    "style-src 'unsafe-inline'",
    "img-src data: blob:",
    "font-src data:",
    `connect-src ${api}/`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types default",
  ].join("; ");
}
