import type { ServiceModule } from "../src/core/types.js";
import { createRoutes, Package } from "./routes.js";

const content = new Package();

/** Answers git, which knows user names and passwords but no bearer tokens: so it checks them itself. */
const pi: ServiceModule = {
  name: "pi",
  description: "The package that `pi install` gets: a bootstrap extension and Reef's skills",
  requiresAuth: false,
  routes: createRoutes(content),
  routeDocs: {
    "GET /reef.git/*": {
      summary: "A read-only git repository for `pi install`",
      detail: "Takes the token as a bearer token, or as the password of basic authentication.",
    },
  },
  init: (ctx) => content.start(ctx),
  dependencies: ["agent"],
};

export default pi;
