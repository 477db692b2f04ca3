/** Logging in and out: by one-time link, or with the token itself. */
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { ReefError } from "../../src/core/errors.js";
import { originOf } from "../../src/core/origin.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { Entries } from "./assets.js";
import { assertSameOrigin, COOKIE, type FailureLimit, isLedHere } from "./guard.js";
import { loginStrings } from "./login-strings.js";
import { pageAt } from "./page-names.js";
import { loginPage, redirectPage } from "./pages.js";
import { SESSION_DAYS, type SessionStore } from "./sessions.js";
import { isToken } from "./token.js";

export interface LoginParts {
  sessions: SessionStore;
  limit: FailureLimit;
  context: () => ServiceContext;
  /** Addresses of the assets that pages begin with. */
  script: () => Promise<Entries>;
}

type BunEnv = { requestIP?: (request: Request) => { address: string } | null } | undefined;

const DAY_SECONDS = 86_400;

/** Routes below `/auth` and `/ui` that need no session. */
export function loginRoutes({ sessions, limit, context, script }: LoginParts): Hono {
  const routes = new Hono();
  /**
   * Counts a wrong guess; throws a 429 when there were too many. Never asked before the credentials are: behind a proxy
   * all have one address, and who has the token or a link is not kept out by others who guess. That also means that it
   * is the length of the token that makes guessing hopeless, as on every other route; this keeps down what it costs.
   */
  const guessed = (c: Context) => {
    limit.assert(addressOf(c));
    limit.failed(addressOf(c));
  };
  /** The same for a person, who is shown the form again. */
  const askAgain = async (c: Context, problem: string, next?: string) => {
    const page = { script: await script(), next };
    if (limit.isReached(addressOf(c)))
      return loginPage(c, { ...page, problem: loginStrings.tooMany, status: 429 });
    limit.failed(addressOf(c));
    return loginPage(c, { ...page, problem, status: 401 });
  };

  routes.post("/auth/magic-link", (c) => {
    if (!context().authenticate(c.req.raw)) {
      guessed(c);
      c.header("www-authenticate", 'Bearer realm="reef"');
      return c.json({ error: "unauthorized" }, 401);
    }
    const { token, expiresAt } = sessions.createLink();
    return c.json({ url: `${originOf(c.req.raw)}/ui/login?token=${token}`, expiresAt });
  });

  routes.get("/ui/login", async (c) => {
    const token = c.req.query("token");
    const next = safeNext(c.req.query("next"));
    if (token === undefined || !sessions.redeem(token)) {
      if (sessions.find(getCookie(c, COOKIE))) return c.redirect(next, 302);
      if (token !== undefined) return askAgain(c, loginStrings.deadLink);
      // Whoever is logged in is known when the page asks once more.
      if (isLedHere(c)) return redirectPage(c, next, await script());
      return loginPage(c, { script: await script(), next });
    }
    await startSession(c, sessions);
    // The cookie is not sent along on a redirect of a navigation that another site began.
    return redirectPage(c, "/ui", await script());
  });

  routes.post("/ui/login", async (c) => {
    assertSameOrigin(c);
    const form = await formOf(c);
    const token = typeof form.token === "string" ? form.token.trim() : "";
    if (!isToken(token, context())) return askAgain(c, loginStrings.wrong, safeNext(form.next));
    await startSession(c, sessions);
    return c.redirect(safeNext(form.next), 303);
  });

  routes.post("/ui/logout", async (c) => {
    assertSameOrigin(c);
    const session = sessions.find(getCookie(c, COOKIE));
    if (session) await sessions.end(session.id);
    deleteCookie(c, COOKIE, { path: "/ui" });
    return c.redirect("/ui/login", 303);
  });

  routes.get("/ui/session", (c) => {
    const session = sessions.find(getCookie(c, COOKIE));
    if (!session) return c.json({ authenticated: false });
    const left = Date.parse(session.expiresAt) - Date.now();
    return c.json({
      authenticated: true,
      expiresAt: session.expiresAt,
      daysLeft: Math.floor(left / (DAY_SECONDS * 1000)),
    });
  });
  return routes;
}

async function formOf(c: Context) {
  try {
    return await c.req.parseBody();
  } catch {
    // What the platform says of it helps nobody who fills in a form.
    throw new ReefError("BAD_REQUEST", "the request body is not a valid form");
  }
}

const addressOf = (c: Context) => (c.env as BunEnv)?.requestIP?.(c.req.raw)?.address ?? "local";

/** A path below the dashboard's, with what it may have as its query. */
const PLAIN = /^\/ui(\/[\w.~%-]+)*(\?[\w.~%&=+:@!$()*,;/?-]*)?$/;

/** Where to go after logging in: a page of the dashboard, whatever was asked for. */
export function safeNext(value: unknown): string {
  if (typeof value !== "string" || value.length >= 500 || !PLAIN.test(value)) return "/ui";
  // As a browser reads it: dots lead upwards, escaped ones too.
  const { pathname, search } = new URL(value, "http://x");
  return pageAt(pathname) ? pathname + search : "/ui";
}

async function startSession(c: Parameters<typeof setCookie>[0], sessions: SessionStore): Promise<void> {
  try {
    const { value } = await sessions.start();
    setCookie(c, COOKIE, value, {
      path: "/ui",
      httpOnly: true,
      sameSite: "Strict",
      secure: originOf(c.req.raw).startsWith("https:"),
      maxAge: SESSION_DAYS * DAY_SECONDS,
    });
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "STORAGE_FULL"
      ? new ReefError("STORAGE_FULL")
      : error;
  }
}
