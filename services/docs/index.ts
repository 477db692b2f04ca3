/** The documentation of everything that runs here, for programs (`/docs`, OpenAPI) and for people (`/docs/ui`). */
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { Catalogue } from "./catalogue.js";
import { routeDocs } from "./docs.js";
import { createRoutes } from "./routes.js";

/** A documentation service of its own. */
export function createDocs(): ServiceModule {
  let catalogue: Catalogue | undefined;
  return {
    name: "docs",
    description: "Documentation of all loaded services as JSON, OpenAPI and a web page",
    requiresAuth: false,
    routes: createRoutes(() => catalogue as Catalogue),
    init(ctx: ServiceContext) {
      catalogue = new Catalogue(ctx);
    },
    routeDocs,
  };
}

export default createDocs();
