/** Services that are passed as module objects rather than loaded from folders. */
import { asLoadFailure, dependencyCycle, type LoadFailure } from "../load-failure.js";
import type { Registry } from "../registry.js";
import { type Node, orderByDependencies } from "./order.js";

/** Starts modules, dependencies first. Failures are recorded in the registry. */
export async function addModules(registry: Registry, modules: readonly unknown[]): Promise<void> {
  const nodes = modules.map(nodeOf);
  const { ordered, cyclic } = orderByDependencies(nodes, new Set());
  const ranks = new Map(ordered.map(({ name }, rank) => [name, rank]));
  const cycles = new Map(cyclic.map(({ node, cycle }) => [node.name, dependencyCycle(cycle)]));
  const rankOf = ({ name }: Node) => ranks.get(name) ?? modules.length;
  for (const { name, module } of nodes.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    try {
      await registry.addModule(module);
    } catch (error) {
      const failure: LoadFailure = cycles.get(name) ?? asLoadFailure(error);
      registry.failures.note(name, `module ${name}`, failure);
    }
  }
}

/** The name and dependencies of a value that has not been validated yet; that happens when it is added. */
function nodeOf(module: unknown): Node & { module: unknown } {
  const { name, dependencies } = Object(module) as { name?: unknown; dependencies?: unknown };
  const needs = Array.isArray(dependencies) ? dependencies.filter((need) => typeof need === "string") : [];
  return { name: typeof name === "string" ? name : "(unnamed module)", dependencies: needs, module };
}
