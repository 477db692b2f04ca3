/** Pages made on the server. `html` escapes every value it is given. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { strings } from "./strings.js";

type Page = HtmlEscapedString | Promise<HtmlEscapedString>;

/** The policy of the dashboard's own pages; frames may show nothing but panels of this host. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

function send(c: Context, page: Page, status: 200 | 401 = 200): Response | Promise<Response> {
  c.header("content-security-policy", PAGE_POLICY);
  c.header("x-frame-options", "DENY");
  c.header("cache-control", "no-store");
  return c.html(page, status);
}

function document(title: string, head: Page, body: Page): Page {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/ui/assets/style.css" />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}

/** The login form, with what went wrong at the last try. */
export function loginPage(c: Context, problem?: string, status: 200 | 401 = 200) {
  const t = strings.login;
  const body = html`<main class="login">
    <h1>${t.title}</h1>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : ""}
    <form method="post" action="/ui/login">
      <label for="token">${t.label}</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
      <button type="submit">${t.submit}</button>
    </form>
    <p>${t.hint}</p>
    <pre><code>${t.command}</code></pre>
  </main>`;
  return send(c, document(t.title, html``, body), status);
}

/** Goes on to `path` by a navigation that the browser counts as ours. */
export function redirectPage(c: Context, path: string) {
  const head = html`<meta http-equiv="refresh" content="0; url=${path}" />`;
  const body = html`<main class="login"><p><a href="${path}">${strings.login.goOn}</a></p></main>`;
  return send(c, document(strings.login.title, head, body));
}

/** The empty page that the dashboard's script fills. */
export function shellPage(c: Context, script: string) {
  const head = html`<script type="module" src="${script}"></script>`;
  const body = html`<div id="app"><noscript>${strings.shell.noScript}</noscript></div>`;
  return send(c, document(strings.shell.title, head, body));
}
