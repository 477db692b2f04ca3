/** What is there to use? One answer for agents: services, routes, tools and events. */
import type { CatalogTool } from "../../src/agent/index.js";
import type { ServiceInfo } from "../../src/core/registry-types.js";
import { documentedRoutes } from "../../src/core/route-docs.js";
import { hasPanel } from "../../src/core/routes.js";
import type { ServiceModule } from "../../src/core/types.js";

interface ManifestRoute {
  service: string;
  method: string;
  /** The whole path, as it is to be requested. */
  path: string;
  description: string;
}

function featuresOf(module: ServiceModule): string[] {
  const features: Array<[string, unknown]> = [
    ["routes", module.routes],
    ["tools", module.registerTools],
    ["behaviors", module.registerBehaviors],
    ["widget", module.widget],
    ["store", module.store],
    ["panel", hasPanel(module)],
  ];
  return features.filter(([, present]) => present).map(([name]) => name);
}

/** The manifest of everything that is loaded, with the tools of the tool catalogue. */
export function manifest(infos: readonly ServiceInfo[], tools: readonly CatalogTool[]) {
  const routes: ManifestRoute[] = [];
  const services = infos.flatMap(({ name, module, generation, listensTo = [] }) => {
    if (!module) return [];
    const own = documentedRoutes(module);
    for (const { method, path, docs } of own) {
      routes.push({ service: name, method, path, description: docs?.summary ?? "" });
    }
    return [
      {
        name,
        description: module.description ?? "",
        dependencies: module.dependencies ?? [],
        routes: own.map(({ method, path }) => `${method} ${path}`),
        features: featuresOf(module),
        tools: tools
          .filter(({ owner }) => "service" in owner && owner.service === name)
          .map((tool) => ({ name: tool.name, description: tool.description })),
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
