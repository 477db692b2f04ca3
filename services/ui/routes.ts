/** What the dashboard serves: pages, its proxy, and the panels in their frames. */
import { type Context, Hono } from "hono";
import { getCookie } from "hono/cookie";
import { ReefError } from "../../src/core/errors.js";
import { keepOpen } from "../../src/core/keep-open.js";
import { originOf } from "../../src/core/origin.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { Assets } from "./assets.js";
import { assertFramed, assertHost, COOKIE, FailureLimit, isLedHere, requireSession } from "./guard.js";
import type { Live } from "./live.js";
import { loginRoutes, safeNext } from "./login.js";
import { pageAt } from "./page-names.js";
import { loginPage, redirectPage, shellPage } from "./pages.js";
import { panelDocument } from "./panel-document.js";
import { describePanels, listPanels, PanelGrants, panelPolicy, reachable, readPanel } from "./panels.js";
import { forward, rest } from "./proxy.js";
import type { SessionStore } from "./sessions.js";

export interface UiParts {
  sessions: SessionStore;
  assets: Assets;
  allowedHosts: () => readonly string[];
  context: () => ServiceContext;
  live: () => Live;
}

/** Headers with which a panel's opaque origin may read replies; its address is its credential. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "*",
  "access-control-expose-headers": "*",
  "access-control-max-age": "600",
};

export function createRoutes({ sessions, assets, allowedHosts, context, live }: UiParts): Hono {
  const routes = new Hono();
  const grants = new PanelGrants();
  const guard = async (c: Context, next: () => Promise<void>) => {
    assertHost(c, allowedHosts());
    await next();
  };
  routes.use("/ui", guard);
  routes.use("/ui/*", guard);
  routes.use("/auth/*", guard);

  routes.get("/", (c) => c.redirect("/ui", 302));
  const script = () => assets.entries();
  routes.route("/", loginRoutes({ sessions, limit: new FailureLimit(), context, script }));

  routes.get("/ui/assets/:file", (c) => assets.serve(c));

  const shell = async (c: Context) => {
    const entries = await script();
    const { pathname, search } = new URL(c.req.url);
    if (sessions.find(getCookie(c, COOKIE)))
      return shellPage(c, entries, originOf(c.req.raw), pageAt(pathname));
    const next = safeNext(pathname + search);
    if (isLedHere(c)) return redirectPage(c, next, entries);
    return loginPage(c, { script: entries, status: 401, next });
  };
  routes.get("/ui", (c) => shell(c));

  routes.get("/ui/panels", (c) => {
    requireSession(c, sessions);
    const panels = describePanels(context());
    return c.json({ panels, count: panels.length });
  });

  routes.get("/ui/live", (c) => {
    const { id } = requireSession(c, sessions);
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    keepOpen(c.req.raw, c.env);
    return live().connect({
      lastEventId: c.req.header("last-event-id"),
      isAlive: () => sessions.isAlive(id),
      signal: c.req.raw.signal,
    });
  });

  routes.get("/ui/panel/:name", async (c) => {
    const session = requireSession(c, sessions);
    const name = c.req.param("name");
    assertFramed(c, `/ui/panels/${encodeURIComponent(name)}`);
    const fragment = listPanels(context()).includes(name) ? await readPanel(name, context()) : undefined;
    if (fragment === undefined) throw new ReefError("NOT_FOUND", `service "${name}" has no panel`);
    const api = `${originOf(c.req.raw)}/ui/panel-api/${grants.issue(name, session.id)}`;
    c.header("content-security-policy", panelPolicy(api));
    c.header("cache-control", "no-store");
    c.header("x-dns-prefetch-control", "off");
    const theme = c.req.query("theme") === "light" ? "light" : "dark";
    return c.html(panelDocument({ name, fragment, api, theme, script: await assets.panelScript() }));
  });

  routes.options("/ui/panel-api/*", () => new Response(null, { status: 204, headers: CORS }));
  routes.all("/ui/panel-api/:token/:service/*", (c) => callFromPanel(c));
  routes.all("/ui/panel-api/:token/:service", (c) => callFromPanel(c));

  const callFromPanel = async (c: Context) => {
    const token = c.req.param("token") ?? "";
    const service = c.req.param("service") ?? "";
    const grant = grants.find(token, (id) => sessions.isAlive(id));
    const allowed = grant !== undefined && reachable(grant.service, context()).has(service);
    // The path is compared as it was sent: an escaped name is no name.
    const path = rest(c, `/ui/panel-api/${token}`);
    const same = path === `/${service}` || path.startsWith(`/${service}/`) || path.startsWith(`/${service}?`);
    const reply =
      allowed && same
        ? await forward(c, context(), path)
        : Response.json(
            { error: grant ? `this panel may not call "${service}"` : "this panel's address has expired" },
            { status: 403, headers: { "x-reef-panel": grant ? "refused" : "expired" } },
          );
    const open = new Response(reply.body, reply);
    for (const [name, value] of Object.entries(CORS)) open.headers.set(name, value);
    return open;
  };

  routes.all("/ui/api/*", (c) => {
    requireSession(c, sessions);
    return forward(c, context(), rest(c, "/ui/api"));
  });

  // Deep links of the dashboard's own pages; the script reads the path, and says so when it leads nowhere.
  routes.get("/ui/*", (c) => shell(c));
  return routes;
}
