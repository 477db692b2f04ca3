/** The services manager: lists, loads, deploys, rolls back and exports services while the server runs. */
import { CHANGE_EVENT } from "../../src/core/registry.js";
import type { ServiceModule } from "../../src/core/types.js";
import { Announcer } from "./announce.js";
import { Deployer } from "./deploy.js";
import { routeDocs } from "./docs.js";
import { createRoutes, type Manager } from "./routes.js";
import { registerTools } from "./tools.js";

let manager: Manager | undefined;

const services: ServiceModule = {
  name: "services",
  description: "Lists, deploys, reloads, rolls back and exports the services of this server",
  capabilities: ["admin"],
  routes: createRoutes(() => {
    if (!manager) throw new Error("the services manager has not been started");
    return manager;
  }),
  routeDocs,
  registerTools,
  toolAnnotations: {
    services_deploy: { destructive: false },
    services_disable: { destructive: false },
    services_rollback: { destructive: true, idempotent: false },
  },
  init(ctx) {
    const announcer = new Announcer(ctx);
    manager = { ctx, deployer: new Deployer(ctx, announcer) };
    ctx.events.on(CHANGE_EVENT, (change) => announcer.changed(change));
  },
};

export default services;
