/** Orders services by their dependencies. */

/** A service in the dependency graph. */
export interface Node {
  name: string;
  dependencies: readonly string[];
}

/** The result of ordering. */
export interface Order<T extends Node> {
  /** Dependencies first; otherwise in the given order. */
  ordered: T[];
  /** Services that cannot start, with their unmet dependencies. */
  missing: Array<{ node: T; needs: string[] }>;
  /** Members of a dependency cycle, with the cycle as a path. */
  cyclic: Array<{ node: T; cycle: string[] }>;
}

/**
 * Orders services by their dependencies. `present` names services that already run. A service whose dependency
 * is missing or part of a cycle is itself reported as missing it.
 */
export function orderByDependencies<T extends Node>(
  nodes: readonly T[],
  present: ReadonlySet<string>,
): Order<T> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const dependents = dependentsByName(nodes);
  const cyclic = inOrBehindCycles(nodes, dependents).flatMap((node) => {
    const cycle = cycleThrough(node, byName);
    return cycle ? [{ node, cycle }] : [];
  });
  const startable = new Map(byName);
  for (const { node } of cyclic) startable.delete(node.name);

  const missing: Order<T>["missing"] = [];
  const open = [...startable.values()];
  // Grows while iterating: dependents of a missing service are missing a dependency too.
  for (const node of open) {
    if (!startable.has(node.name)) continue;
    const needs = node.dependencies.filter((name) => !startable.has(name) && !present.has(name));
    if (needs.length === 0) continue;
    missing.push({ node, needs });
    startable.delete(node.name);
    open.push(...(dependents.get(node.name) ?? []));
  }

  const ordered: T[] = [];
  const placed = new Set<string>();
  const place = (node: T) => {
    if (placed.has(node.name)) return;
    placed.add(node.name);
    for (const name of node.dependencies) {
      const dependency = startable.get(name);
      if (dependency) place(dependency);
    }
    ordered.push(node);
  };
  for (const node of startable.values()) place(node);
  return { ordered, missing, cyclic };
}

/** The direct dependents of each service. */
function dependentsByName<T extends Node>(nodes: readonly T[]): Map<string, T[]> {
  const dependents = new Map<string, T[]>();
  for (const node of nodes) {
    for (const name of new Set(node.dependencies)) {
      const known = dependents.get(name);
      if (known) known.push(node);
      else dependents.set(name, [node]);
    }
  }
  return dependents;
}

/**
 * Members of cycles and their dependents: what remains after repeatedly removing services whose dependencies
 * are all met.
 */
function inOrBehindCycles<T extends Node>(
  nodes: readonly T[],
  dependents: ReadonlyMap<string, readonly T[]>,
): T[] {
  const unmet = new Map(nodes.map((node) => [node.name, 0]));
  for (const { name, dependencies } of nodes) {
    unmet.set(name, [...new Set(dependencies)].filter((need) => unmet.has(need)).length);
  }
  const free = nodes.filter(({ name }) => unmet.get(name) === 0);
  for (const { name } of free) {
    for (const dependent of dependents.get(name) ?? []) {
      const stillNeeds = (unmet.get(dependent.name) ?? 0) - 1;
      unmet.set(dependent.name, stillNeeds);
      if (stillNeeds === 0) free.push(dependent);
    }
  }
  return nodes.filter(({ name }) => unmet.get(name) !== 0);
}

/** The shortest path from a service back to itself, if there is one. */
export function cycleThrough(start: Node, others: ReadonlyMap<string, Node>): string[] | undefined {
  const neededBy = new Map<string, string>();
  const open = [start];
  for (const { name, dependencies } of open) {
    for (const need of dependencies) {
      if (need === start.name) {
        const path = [need];
        for (let at: string | undefined = name; at !== undefined; at = neededBy.get(at)) path.unshift(at);
        return path;
      }
      const next = others.get(need);
      if (!next || neededBy.has(need)) continue;
      neededBy.set(need, name);
      open.push(next);
    }
  }
  return undefined;
}

/** The names of all direct and indirect dependents of a service. */
export function dependentsOf(name: string, nodes: readonly Node[]): string[] {
  const dependents = dependentsByName(nodes);
  const found = new Set([name]);
  for (const needed of found) {
    for (const dependent of dependents.get(needed) ?? []) found.add(dependent.name);
  }
  found.delete(name);
  return [...found];
}
