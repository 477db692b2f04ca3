/** Which of the loaded services have a client half, and where its code is. */
import { filterClientModules } from "../core/discover.js";
import type { ServiceContext } from "../core/types.js";
import type { BundleSource, LeftOut } from "./bundle/build.js";

/** The services whose client halves an extension file is made of. */
export function bundleSources(host: Pick<ServiceContext, "registry">): {
  sources: BundleSource[];
  leftOut: LeftOut[];
} {
  const sources: BundleSource[] = [];
  const leftOut: LeftOut[] = [];
  for (const { name, module, state } of host.registry.list()) {
    if (state !== "loaded" || !module || filterClientModules([module]).length === 0) continue;
    const dir = host.registry.servedFrom(name);
    if (dir === undefined)
      leftOut.push({ name, reason: "it was handed over as an object, without a folder" });
    else sources.push({ name, dir, capabilities: module.capabilities });
  }
  return { sources, leftOut };
}
