/** Finds the client halves of loaded services. */
import { filterClientModules } from "../core/discover.js";
import type { ServiceContext } from "../core/types.js";
import type { BundleSource, LeftOut, RemoteSource } from "./bundle/build.js";
import type { CatalogTool } from "./catalog.js";

/** The services with a client half and their code; those without a folder are left out. */
export function bundleSources(host: Pick<ServiceContext, "registry">): {
  sources: BundleSource[];
  leftOut: LeftOut[];
} {
  const sources: BundleSource[] = [];
  const leftOut: LeftOut[] = [];
  for (const { name, module, state } of host.registry.list()) {
    if (state !== "loaded" || !module || filterClientModules([module]).length === 0) continue;
    const dir = host.registry.servedFrom(name);
    if (dir === undefined) leftOut.push({ name, reason: "it was passed as an object, without a folder" });
    else sources.push({ name, dir, capabilities: module.capabilities });
  }
  return { sources, leftOut };
}

/** The tools that services provide for others, by providing service. */
export function remoteSources(tools: readonly CatalogTool[]): RemoteSource[] {
  const sources = new Map<string, CatalogTool[]>();
  for (const tool of tools) {
    if ("via" in tool.owner) sources.set(tool.owner.via, [...(sources.get(tool.owner.via) ?? []), tool]);
  }
  return [...sources].map(([name, provided]) => ({
    name,
    tools: provided.map(({ name, label, description, inputSchema }) => ({
      name,
      label,
      description,
      inputSchema,
    })),
  }));
}
