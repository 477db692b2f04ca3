import { type Context, Hono } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { withEtag } from "../../src/core/etag.js";
import type { Catalogue, Edition } from "./catalogue.js";
import { openApiDocument } from "./openapi/document.js";
import { assets } from "./page/assets.js";
import { renderPage } from "./page/render.js";
import { PAGE_HEADERS, prefersJson } from "./replies.js";

const JSON_HEADERS = { "content-type": "application/json" };

/** Makes something of an edition once and keeps it while that edition is current. */
function perEdition(make: (edition: Edition) => string): (edition: Edition) => string {
  const made = new WeakMap<Edition, string>();
  return (edition) => {
    const text = made.get(edition) ?? make(edition);
    made.set(edition, text);
    return text;
  };
}

/** The HTTP API; `catalogue` is there once the service has started. */
export function createRoutes(catalogue: () => Catalogue): Hono {
  const routes = new Hono();
  const toJson = perEdition(({ docs }) => JSON.stringify(docs));
  const toOpenApi = perEdition(({ docs, version }) => JSON.stringify(openApiDocument(docs, version)));
  const toPage = perEdition(({ docs, version }) => renderPage(docs, version));

  routes.get("/", (c) => {
    const edition = catalogue().current();
    return withEtag(c.req.raw, toJson(edition), edition.version, JSON_HEADERS);
  });

  routes.get("/openapi.json", (c) => {
    const edition = catalogue().current();
    return withEtag(c.req.raw, toOpenApi(edition), edition.version, JSON_HEADERS);
  });

  routes.get("/ui", async (c) => {
    if (prefersJson(c.req.raw)) return oneService(c, catalogue(), "ui");
    const edition = catalogue().current();
    const version = `${edition.version}-${(await assets()).version}`;
    return withEtag(c.req.raw, toPage(edition), version, { ...PAGE_HEADERS, vary: "accept" });
  });

  routes.get("/ui/:file{(?:app\\.js|style\\.css)}", async (c) => {
    const { files, version } = await assets();
    const { body, type } = files[c.req.param("file") as keyof typeof files];
    return withEtag(c.req.raw, body, version, { "content-type": type });
  });

  routes.get("/:service", (c) => oneService(c, catalogue(), c.req.param("service")));

  return routes;
}

function oneService(c: Context, catalogue: Catalogue, name: string): Response {
  const { docs } = catalogue.current();
  const found = docs.services.find((service) => service.name === name);
  if (found) return c.json(found);
  const skipped = docs.skipped.find((entry) => entry.name === name);
  if (skipped) return c.json({ error: `"${name}" is not loaded: ${skipped.reason}`, skipped }, 404);
  throw new ReefError("UNKNOWN_SERVICE");
}
