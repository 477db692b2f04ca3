import type { RouteDocs } from "../../src/core/types.js";

/** What programs may want of the dashboard; its pages speak for themselves. */
export const routeDocs: Record<string, RouteDocs> = {
  "POST /auth/magic-link": {
    summary: "A link that logs a browser in: once, within five minutes",
    detail: "Needs the token. Open the link in the browser that is to be logged in.",
    response: "{ url, expiresAt }",
    examples: [{ summary: "A new link" }],
  },
  "GET /": {
    summary: "The way to the dashboard",
    responses: { 302: { description: "To `/ui`" } },
    examples: [{ summary: "Off to the dashboard", status: 302 }],
  },
  "GET /ui": {
    summary: "The dashboard",
    detail:
      "401 and the login page without a session. A browser that another site led here, which leaves the cookie out, is told to ask once more.",
    response: "HTML",
    examples: [{ summary: "Without a session", status: 401 }],
  },
  "GET /ui/login": {
    summary: "Logs in with a link's token, or asks for the server's token",
    detail:
      "401 for a link that has been used or has expired, 429 after ten wrong ones within a minute. " +
      "302 to `next` or `/ui` for who is logged in already, unless a link is to be used.",
    query: {
      token: { type: "string", description: "From the link" },
      next: { type: "string", description: "A page of the dashboard to go on to" },
    },
    response: "HTML",
    examples: [
      { summary: "The login page" },
      { summary: "A link that was used", query: { token: "used" }, status: 401 },
    ],
  },
  "POST /ui/login": {
    summary: "Logs in with the server's token",
    detail:
      "303 to the dashboard for the right token, 401 for any other, 429 after ten wrong ones within a minute. " +
      "400 for a form that cannot be read.",
    bodyType: "application/x-www-form-urlencoded",
    body: {
      token: { type: "string", required: true, description: "The server's token, as a form field" },
      next: {
        type: "string",
        description: "A page of the dashboard to go on to; anything else leads to `/ui`",
      },
    },
    response: "303, with the session's cookie",
    examples: [{ summary: "A wrong token", body: { token: "wrong" }, status: 401 }],
  },
  "POST /ui/logout": {
    summary: "Ends the session",
    detail: "With or without a session.",
    responses: { 303: { description: "To the login page" } },
    examples: [{ summary: "Log out", status: 303 }],
  },
  "GET /ui/session": {
    summary: "Whether the browser is logged in, and how long that lasts",
    response: "{ authenticated, expiresAt?, daysLeft? }",
    examples: [{ summary: "Am I logged in?" }],
  },
  "GET /ui/panels": {
    summary: "Services with a panel",
    detail: "401 without a session.",
    examples: [{ summary: "Without a session", status: 401 }],
    response: "{ panels: [{ name, description, version }], count }",
  },
  "GET /ui/panel/:name": {
    summary: "A service's panel as a document of its own, for a sandboxed frame",
    detail:
      "401 without a session, 404 when the service has no panel. 403 for a browser that opens it other than in a frame.",
    examples: [{ summary: "Without a session", params: { name: "board" }, status: 401 }],
    params: { name: { type: "string", required: true, description: "The service" } },
    query: { theme: { type: "string", description: "dark (default) or light" } },
    response: "HTML",
  },
  "GET /ui/live": {
    summary:
      "What happens, as server-sent events: changes of services, steps of deploys, and the feed's events",
    detail:
      "Messages of the dashboard's own are of the event kind `reef`. `Last-Event-ID` goes on in the feed. 401 without a session.",
    response: "text/event-stream",
    examples: [{ summary: "Without a session", status: 401 }],
  },
};
