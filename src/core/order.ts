/** In which order do services start, and which cannot? */

/** What ordering needs to know about a service. */
export interface Node {
  name: string;
  dependencies: readonly string[];
}

export interface Order<T extends Node> {
  /** Dependencies first; otherwise as given. */
  ordered: T[];
  /** Services that cannot start, with the names that stand in the way. */
  missing: Array<{ node: T; needs: string[] }>;
  /** Members of a dependency cycle, with the cycle as a path. */
  cyclic: Array<{ node: T; cycle: string[] }>;
}

/**
 * Orders services by their dependencies. `present` names services that run already. A service whose dependency
 * is missing or part of a cycle is itself reported as missing it.
 */
export function orderByDependencies<T extends Node>(
  nodes: readonly T[],
  present: ReadonlySet<string>,
): Order<T> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const cyclic = nodes.flatMap((node) => {
    const cycle = findCycle(node, byName);
    return cycle ? [{ node, cycle }] : [];
  });
  const startable = new Map(byName);
  for (const { node } of cyclic) startable.delete(node.name);

  const missing: Order<T>["missing"] = [];
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of [...startable.values()]) {
      const needs = node.dependencies.filter((name) => !startable.has(name) && !present.has(name));
      if (needs.length === 0) continue;
      missing.push({ node, needs });
      startable.delete(node.name);
      changed = true;
    }
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

/** A path from the node back to itself, if there is one. */
function findCycle<T extends Node>(start: T, byName: ReadonlyMap<string, T>): string[] | undefined {
  if (start.dependencies.length === 0) return undefined;
  const seen = new Set<string>();
  const walk = (node: T, path: string[]): string[] | undefined => {
    for (const name of node.dependencies) {
      if (name === start.name) return [...path, name];
      const next = byName.get(name);
      if (!next || seen.has(name)) continue;
      seen.add(name);
      const found = walk(next, [...path, name]);
      if (found) return found;
    }
    return undefined;
  };
  return walk(start, [start.name]);
}

/** All services that need `name`, directly or through others, by name. */
export function dependentsOf(name: string, nodes: readonly Node[]): string[] {
  const found = new Set<string>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes) {
      if (found.has(node.name) || node.name === name) continue;
      if (node.dependencies.some((dependency) => dependency === name || found.has(dependency))) {
        found.add(node.name);
        changed = true;
      }
    }
  }
  return [...found];
}
