import type { RouteDocs } from "../../src/core/types.js";

/** What programs may want of the dashboard; its pages speak for themselves. */
export const routeDocs: Record<string, RouteDocs> = {
  "POST /auth/magic-link": {
    summary: "Create a one-time login link that is valid for five minutes",
    detail: "Requires the token. Open the link in the browser that should be logged in.",
    response: "{ url, expiresAt }",
    examples: [{ summary: "A new link" }],
  },
  "GET /": {
    summary: "Redirect to the dashboard",
    responses: { 302: { description: "To `/ui`" } },
    examples: [{ summary: "Redirect to the dashboard", status: 302 }],
  },
  "GET /ui": {
    summary: "Open the dashboard",
    detail:
      "401 with the login page without a session. A browser that comes from another site omits the cookie; the response makes it retry once.",
    response: "HTML",
    examples: [{ summary: "Without a session", status: 401 }],
  },
  "GET /ui/login": {
    summary: "Log in with a login link, or show the login page",
    detail:
      "401 for a used or expired link, 429 after ten wrong ones within a minute. " +
      "302 to `next` or `/ui` if already logged in and no link token is given.",
    query: {
      token: { type: "string", description: "The token from the link" },
      next: { type: "string", description: "The dashboard page to open after login" },
    },
    response: "HTML",
    examples: [
      { summary: "The login page" },
      { summary: "A used link", query: { token: "used" }, status: 401 },
    ],
  },
  "POST /ui/login": {
    summary: "Log in with the server's token",
    detail:
      "303 to the dashboard for the right token, 401 for any other, 429 after ten wrong ones within a minute. " +
      "400 for a form that cannot be read.",
    bodyType: "application/x-www-form-urlencoded",
    body: {
      token: { type: "string", required: true, description: "The server's token, as a form field" },
      next: {
        type: "string",
        description: "The dashboard page to open after login; anything else opens `/ui`",
      },
    },
    response: "303, with the session's cookie",
    examples: [{ summary: "A wrong token", body: { token: "wrong" }, status: 401 }],
  },
  "POST /ui/logout": {
    summary: "Log out: end the session",
    detail: "Works with or without a session.",
    responses: { 303: { description: "To the login page" } },
    examples: [{ summary: "Log out", status: 303 }],
  },
  "GET /ui/session": {
    summary: "Get the session: whether the browser is logged in, and until when",
    response: "{ authenticated, expiresAt?, daysLeft? }",
    examples: [{ summary: "Am I logged in?" }],
  },
  "GET /ui/panels": {
    summary: "List services with a panel",
    detail: "401 without a session.",
    examples: [{ summary: "Without a session", status: 401 }],
    response: "{ panels: [{ name, description, version }], count }",
  },
  "GET /ui/panel/:name": {
    summary: "Get a service's panel as a document for a sandboxed frame",
    detail:
      "401 without a session, 404 when the service has no panel. 403 if a browser opens it outside a frame.",
    examples: [{ summary: "Without a session", params: { name: "board" }, status: 401 }],
    params: { name: { type: "string", required: true, description: "The service" } },
    query: { theme: { type: "string", description: "dark (default) or light" } },
    response: "HTML",
  },
  "GET /ui/live": {
    summary: "Stream service changes, deploy steps and feed events as server-sent events",
    detail:
      "Service changes and deploy steps have the event type `reef`. `Last-Event-ID` resumes the feed. 401 without a session.",
    response: "text/event-stream",
    examples: [{ summary: "Without a session", status: 401 }],
  },
};
