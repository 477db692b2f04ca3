/** Which of the loaded services have a client half, and where its code is. */
import { join } from "node:path";
import { filterClientModules } from "../core/discover.js";
import type { ServiceContext } from "../core/types.js";
import type { BundleSource, LeftOut } from "./bundle/build.js";

/** The services whose client halves an extension file is made of. */
export function bundleSources(host: Pick<ServiceContext, "registry" | "servicesDir">): {
  sources: BundleSource[];
  leftOut: LeftOut[];
} {
  const sources: BundleSource[] = [];
  const leftOut: LeftOut[] = [];
  for (const { name, dirName, module, state } of host.registry.list()) {
    if (state !== "loaded" || !module || filterClientModules([module]).length === 0) continue;
    if (dirName === undefined)
      leftOut.push({ name, reason: "it was handed over as an object, without a folder" });
    else sources.push({ name, dir: join(host.servicesDir, dirName), capabilities: module.capabilities });
  }
  return { sources, leftOut };
}
