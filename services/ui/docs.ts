import type { RouteDocs } from "../../src/core/types.js";

/** What programs may want of the dashboard; its pages speak for themselves. */
export const routeDocs: Record<string, RouteDocs> = {
  "POST /auth/magic-link": {
    summary: "A link that logs a browser in: once, within five minutes",
    detail: "Needs the token. Open the link in the browser that is to be logged in.",
    response: "{ url, expiresAt }",
  },
  "GET /ui": { summary: "The dashboard", response: "HTML" },
  "GET /ui/login": {
    summary: "Logs in with a link's token, or asks for the server's token",
    query: { token: { type: "string", description: "From the link" } },
    response: "HTML",
  },
  "POST /ui/login": {
    summary: "Logs in with the server's token",
    body: {
      token: { type: "string", required: true, description: "The server's token, as a form field" },
      next: { type: "string", description: "A page of the dashboard to go on to" },
    },
    response: "303, with the session's cookie",
  },
  "POST /ui/logout": { summary: "Ends the session", response: "303 to the login page" },
  "GET /ui/session": {
    summary: "Whether the browser is logged in, and how long that lasts",
    response: "{ authenticated, expiresAt?, daysLeft? }",
  },
  "GET /ui/panels": {
    summary: "Services with a panel",
    response: "{ panels: [{ name, description, version }], count }",
  },
  "GET /ui/panel/:name": {
    summary: "A service's panel as a document of its own, for a sandboxed frame",
    params: { name: { type: "string", required: true, description: "The service" } },
    query: { theme: { type: "string", description: "dark (default) or light" } },
    response: "HTML",
  },
  "GET /ui/live": {
    summary:
      "What happens, as server-sent events: changes of services, steps of deploys, and the feed's events",
    detail:
      "Messages of the dashboard's own are of the event kind `reef`. `Last-Event-ID` goes on in the feed.",
    response: "text/event-stream",
  },
};
