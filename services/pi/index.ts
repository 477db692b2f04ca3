import type { ServiceModule } from "../../src/core/types.js";
import { createRoutes, Package } from "./routes.js";

const content = new Package();

/** Answers git, which knows user names and passwords but no bearer tokens: so it checks them itself. */
const pi: ServiceModule = {
  name: "pi",
  description: "The package for `pi install`: a bootstrap extension and Reef's skills",
  requiresAuth: false,
  routes: createRoutes(content),
  routeDocs: {
    "GET /reef.git/:path": {
      summary: "A read-only git repository for `pi install`",
      detail: "Requires the token as a bearer token or as the basic authentication password.",
      auth: true,
      params: { path: { type: "string", required: true, description: "A file in the bare repository" } },
      responses: {
        200: { description: "The file.", type: "application/octet-stream" },
        401: { description: "The token is missing or wrong." },
      },
      examples: [{ summary: "The first request of a clone", params: { path: "info/refs" } }],
    },
  },
  init: (ctx) => content.start(ctx),
  dependencies: ["agent"],
};

export default pi;
