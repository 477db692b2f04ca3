/** Services as the API shows them. */
import type { ServiceInfo } from "../../src/core/registry-types.js";
import { listRoutes } from "../../src/core/routes.js";
import type { ServiceModule } from "../../src/core/types.js";

/** What a service offers beside its data: known only while it is loaded. */
function offers(module: ServiceModule | undefined) {
  return {
    description: module?.description ?? "",
    hasRoutes: module?.routes !== undefined,
    hasTools: module?.registerTools !== undefined,
    hasBehaviors: module?.registerBehaviors !== undefined,
    hasWidget: module?.widget !== undefined,
    mountAtRoot: module?.mountAtRoot ?? false,
    dependencies: module?.dependencies ?? [],
  };
}

/** One line of the list. */
export function summary(info: ServiceInfo) {
  const { name, dirName, module, state, generation, digest, loadedAt, failure, reason } = info;
  return { name, ...offers(module), dirName, state, generation, digest, loadedAt, failure, reason };
}

/** Everything about one service. */
export function full(info: ServiceInfo, all: readonly ServiceInfo[]) {
  const { module, ledger, draining, generations = [], listensTo = [] } = info;
  return {
    ...summary(info),
    requiresAuth: module?.requiresAuth !== false,
    hasStore: module?.store !== undefined,
    capabilities: module?.capabilities ?? [],
    dependents: all
      .filter((other) => other.module?.dependencies?.includes(info.name))
      .map((other) => other.name),
    routes: listRoutes(module?.routes),
    listensTo,
    ledger,
    draining,
    generations,
  };
}
