/** Pages made on the server. `html` escapes every value it is given. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { originOf } from "../../src/core/origin.js";
import type { Entries } from "./assets.js";
import { loginStrings } from "./login-strings.js";
import type { PageName } from "./page-names.js";
import { strings } from "./strings.js";

type Page = HtmlEscapedString | Promise<HtmlEscapedString>;
type Status = 200 | 401 | 404 | 429;

/**
 * The policy of the dashboard's own pages. `frame-src` also holds for what a frame's own script navigates to: a
 * panel can lead nowhere but to panels.
 */
export function pagePolicy(origin?: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    `frame-src ${origin ? `${origin}/ui/panel/` : "'none'"}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function send(
  c: Context,
  page: Page,
  status: Status = 200,
  policy = pagePolicy(),
): Response | Promise<Response> {
  c.header("content-security-policy", policy);
  c.header("x-frame-options", "DENY");
  // Without a referrer the browser would send forms with no origin, and they could not be told from foreign ones.
  c.header("referrer-policy", "same-origin");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cache-control", "no-store");
  return c.html(page, status);
}

function document(title: string, { first, style }: Entries, head: Page, body: Page): Page {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="dark light" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <script src="${first}"></script>
        <link rel="stylesheet" href="${style}" />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}

interface LoginPage {
  script: Entries;
  /** What went wrong at the last try. */
  problem?: string;
  status?: Status;
  /** Where to go afterwards, a path of the dashboard. */
  next?: string;
}

/** The login form. */
export function loginPage(c: Context, { script, problem, status, next = "/ui" }: LoginPage) {
  const t = loginStrings;
  const body = html`<main class="login">
    <h1>${t.title}</h1>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : ""}
    <form method="post" action="/ui/login">
      <label for="token">${t.label}</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
      <input type="hidden" name="next" value="${next}" />
      <button type="submit" class="primary">${t.submit}</button>
    </form>
    <p class="dim">${t.hint}</p>
    <pre class="code" tabindex="0"><code>${t.command(originOf(c.req.raw))}</code></pre>
  </main>`;
  return send(c, document(t.title, script, html``, body), status);
}

/** Goes on to `path` by a navigation that the browser counts as ours. */
export function redirectPage(c: Context, path: string, script: Entries) {
  const head = html`<meta http-equiv="refresh" content="0; url=${path}" />`;
  const body = html`<main class="login"><p><a href="${path}">${loginStrings.goOn}</a></p></main>`;
  return send(c, document(loginStrings.title, script, head, body));
}

/** The frame of the dashboard, there at the first paint; the script fills it with the page, or says that there is none. */
export function shellPage(c: Context, script: Entries, origin: string, page: PageName | undefined) {
  const ahead = [...script.shared, ...(page ? [script.pages[page]] : [])];
  const head = html`<script type="module" src="${script.script}"></script>
    ${ahead.map((file) => html`<link rel="modulepreload" href="${file}" />`)}`;
  const body = html`<div id="app" data-pages="${JSON.stringify(script.pages)}">
    <header class="top">
      <span class="brand">${strings.shell.title}</span>
      <span class="dim">${strings.shell.loading}</span>
    </header>
    <p class="problem unloaded" role="alert">${strings.shell.unloaded}</p>
    <noscript><p class="empty">${strings.shell.noScript}</p></noscript>
  </div>`;
  return send(c, document(strings.shell.title, script, head, body), page ? 200 : 404, pagePolicy(origin));
}
