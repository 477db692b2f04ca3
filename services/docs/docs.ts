/** The documentation of the documentation. */
import type { JsonSchema, RouteDocs } from "../../src/core/types.js";

const object = (properties: Record<string, JsonSchema>, required = Object.keys(properties)): JsonSchema => ({
  type: "object",
  required,
  properties,
});
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const string = { type: "string" };
const boolean = { type: "boolean" };
const map = { type: "object" };

const Route = object(
  {
    id: string,
    method: string,
    path: { type: "string", description: "Including the mount point, e.g. /board/tasks/:id" },
    route: { type: "string", description: "As registered by the service" },
    auth: boolean,
    summary: string,
    detail: string,
    params: map,
    query: map,
    body: map,
    response: string,
    responses: map,
    schemas: map,
    examples: list(map),
  },
  ["id", "method", "path", "route", "auth"],
);

const Service = object(
  {
    name: string,
    description: string,
    auth: boolean,
    routes: list(Route),
    capabilities: object({ hasTools: boolean, hasBehaviors: boolean, hasWidget: boolean, hasStore: boolean }),
    dependencies: list(string),
    events: list(map),
    methods: list(map),
    tools: list(map),
    failure: map,
  },
  ["name", "description", "auth", "routes", "capabilities", "dependencies", "events", "methods", "tools"],
);

const Skipped = object(
  {
    name: string,
    state: { enum: ["failed", "disabled"] },
    code: string,
    step: string,
    reason: string,
    help: string,
    at: string,
  },
  ["name", "state", "code", "reason"],
);

const unchanged = { description: "Unchanged since the version named in `If-None-Match`." };

export const routeDocs: Record<string, RouteDocs> = {
  "GET /": {
    summary: "Get the documentation of all loaded services",
    detail: "The ETag changes when a service changes. Skipped services are listed with the reason.",
    responses: {
      200: {
        description: "The documentation.",
        schema: object({
          services: list(Service),
          count: { type: "integer" },
          skipped: list(Skipped),
          server: object({ routes: list(Route), events: list(map) }),
        }),
      },
      304: unchanged,
    },
    examples: [{ summary: "All services" }],
  },
  "GET /:service": {
    summary: "Get the documentation of one service",
    detail:
      "For a service named `ui`, send `Accept: application/json`: otherwise `/docs/ui` returns the page.",
    params: { service: { type: "string", required: true, description: "Name of a loaded service" } },
    responses: {
      200: { description: "Its documentation.", schema: Service },
      404: { description: "No loaded service has this name. For a skipped service, the error says why." },
    },
    examples: [
      { summary: "This service", params: { service: "docs" } },
      { summary: "An unknown service", params: { service: "nobody" }, status: 404 },
    ],
  },
  "GET /openapi.json": {
    summary: "Get the documentation as an OpenAPI 3.1 document",
    responses: {
      200: { description: "An OpenAPI 3.1 document.", schema: { type: "object" } },
      304: unchanged,
    },
    examples: [{ summary: "The document" }],
  },
  "GET /ui": {
    summary: "Open the documentation page: read, search and try the API",
    response: "200 text/html",
    examples: [{ summary: "The page" }],
  },
  "GET /ui/:file": {
    summary: "Get the page's script or style sheet",
    params: { file: { type: '"app.js" | "style.css"', required: true, description: "The file" } },
    response: "200 text/javascript or text/css",
    examples: [{ summary: "The style sheet", params: { file: "style.css" } }],
  },
};
