/** What is there to use? One answer for agents: services, routes, tools and events. */
import type { Logger } from "../../src/core/log.js";
import type { ServiceInfo } from "../../src/core/registry-types.js";
import { documentedRoutes } from "../../src/core/route-docs.js";
import { listRoutes } from "../../src/core/routes.js";
import type { ServiceModule } from "../../src/core/types.js";
import { listTools } from "./tool-list.js";

interface ManifestRoute {
  service: string;
  method: string;
  /** The whole path, as it is to be requested. */
  path: string;
  description: string;
}

const PANEL_PATH = "/_panel";

function routesOf(module: ServiceModule): ManifestRoute[] {
  return documentedRoutes(module).map(({ method, path, docs }) => ({
    service: module.name,
    method,
    path,
    description: docs?.summary ?? "",
  }));
}

function featuresOf(module: ServiceModule, hasPanel: boolean): string[] {
  const features: Array<[string, unknown]> = [
    ["routes", module.routes],
    ["tools", module.registerTools],
    ["behaviors", module.registerBehaviors],
    ["widget", module.widget],
    ["store", module.store],
    ["panel", hasPanel],
  ];
  return features.filter(([, present]) => present).map(([name]) => name);
}

/** The manifest of everything that is loaded. */
export function manifest(infos: readonly ServiceInfo[], log: Logger) {
  const routes: ManifestRoute[] = [];
  const services = infos.flatMap(({ name, module, generation, listensTo = [] }) => {
    if (!module) return [];
    const own = routesOf(module);
    routes.push(...own);
    const hasPanel = listRoutes(module.routes).some(({ path }) => path === PANEL_PATH);
    return [
      {
        name,
        description: module.description ?? "",
        dependencies: module.dependencies ?? [],
        routes: own.map(({ method, path }) => `${method} ${path}`),
        features: featuresOf(module, hasPanel),
        tools: listTools(module, log),
        events: { listensTo },
        capabilities: module.capabilities ?? [],
        generation,
      },
    ];
  });
  const having = (feature: string) =>
    services.filter(({ features }) => features.includes(feature)).map(({ name }) => name);
  return {
    services,
    routes,
    servicesWithTools: having("tools"),
    servicesWithBehaviors: having("behaviors"),
    servicesWithPanels: having("panel"),
    count: services.length,
  };
}
