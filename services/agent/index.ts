import type { ServiceModule } from "../../src/core/types.js";
import { AgentSide } from "./agent-side.js";
import { routeDocs } from "./docs.js";
import { createRoutes } from "./routes.js";

const side = new AgentSide();

const agent: ServiceModule = {
  name: "agent",
  description: "What agents get from Reef: the extension file for pi, and the tools for MCP clients",
  mountAtRoot: true,
  routes: createRoutes(side),
  routeDocs,
  init: (ctx) => side.start(ctx),
};

export default agent;
