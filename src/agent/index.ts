/** The public API of the agent's side: extension files, the tool catalogue, MCP, and the package for pi. */
export { buildTried, type Choice, ExtensionBuilder } from "./builder.js";
export { type BundleSource, buildExtension, type ExtensionBundle, type LeftOut } from "./bundle/build.js";
export {
  type Catalog,
  type CatalogProblem,
  type CatalogTool,
  describeTools,
  ToolCatalog,
} from "./catalog.js";
export { type Caller, callerOf, executeTool } from "./execute.js";
export { gitRepository } from "./git-repository.js";
export { createMcp, type Mcp } from "./mcp.js";
export { bootstrapSource, piPackage } from "./pi-package.js";
