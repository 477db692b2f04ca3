import type { ServiceModule } from "../../src/core/types.js";
import { createRoutes, Package } from "./routes.js";

const content = new Package();

/** Answers git, which knows user names and passwords but no bearer tokens: so it checks them itself. */
const pi: ServiceModule = {
  name: "pi",
  description: "The package that `pi install` gets: a bootstrap extension and Reef's skills",
  requiresAuth: false,
  routes: createRoutes(content),
  routeDocs: {
    "GET /reef.git/:path": {
      summary: "A read-only git repository for `pi install`",
      detail: "Takes the token as a bearer token, or as the password of basic authentication.",
      auth: true,
      params: { path: { type: "string", required: true, description: "A file of the bare repository" } },
      responses: {
        200: { description: "The file.", type: "application/octet-stream" },
        401: { description: "The token is missing or wrong." },
      },
      examples: [{ summary: "What a clone asks first", params: { path: "info/refs" } }],
    },
  },
  init: (ctx) => content.start(ctx),
  dependencies: ["agent"],
};

export default pi;
