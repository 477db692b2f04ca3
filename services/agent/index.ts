import type { ServiceModule } from "../../src/core/types.js";
import { AgentSide } from "./agent-side.js";
import { routeDocs } from "./docs.js";
import { createRoutes } from "./routes.js";

const side = new AgentSide();

const agent: ServiceModule = {
  name: "agent",
  description: "The pi extension and the MCP endpoint for agents",
  mountAtRoot: true,
  routes: createRoutes(side),
  routeDocs,
  init: (ctx) => side.start(ctx),
};

export default agent;
