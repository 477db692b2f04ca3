/** What is there to use? One answer for agents: services, routes, tools and events. */
import type { Logger } from "../../src/core/log.js";
import type { ServiceInfo } from "../../src/core/registry-types.js";
import { documentedRoutes } from "../../src/core/route-docs.js";
import type { ServiceModule } from "../../src/core/types.js";
import { listTools } from "./tool-list.js";

interface ManifestRoute {
  service: string;
  method: string;
  /** The whole path, as it is to be requested. */
  path: string;
  description: string;
}

const PANEL_ROUTE = "/_panel";

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
    const own = documentedRoutes(module);
    for (const { method, path, docs } of own) {
      routes.push({ service: name, method, path, description: docs?.summary ?? "" });
    }
    const hasPanel = own.some(({ route }) => route === PANEL_ROUTE);
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
