/** Tool names as models' providers accept them, beside the names that Reef goes by. */
import { createHash } from "node:crypto";

/** The longest name that every known provider accepts. */
export const MAX_WIRE_NAME = 64;

const HASH_LENGTH = 8;

/** What the names of a service's tools begin with, so that those of two services never collide. */
export function toolPrefix(service: string): string {
  return `${service.toLowerCase().replace(/[^a-z0-9]+/g, "_")}_`;
}

/** What the names of plugins' methods begin with. */
const PLUGIN_PREFIX = "plugin__";

/** How much of a tool's name says that it is the service's; of two tools with one name the one with more has it. */
export function claimOn(tool: string, service: string): number {
  const prefix = toolPrefix(service);
  return tool.startsWith(prefix) && !tool.startsWith(PLUGIN_PREFIX) ? prefix.length : 0;
}

/** `name` with everything unsafe replaced; shortened and marked with a hash when it is too long or `distinct`. */
function spelled(name: string, max: number, distinct: boolean): string {
  const safe = name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";
  if (!distinct && safe.length <= max) return safe;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return `${safe.slice(0, max - HASH_LENGTH - 1)}_${hash}`;
}

/** A wire name for `name` that no other name has, wherever its plain one is taken. */
export function distinctWireName(name: string, max = MAX_WIRE_NAME): string {
  return spelled(name, max, true);
}

/**
 * The wire name of each canonical name: itself where that is safe; else unsafe characters become `_`, and names
 * that are too long or would coincide end in `_` and eight hexadecimal digits. Does not depend on the order.
 *
 * @param max The longest wire name.
 */
export function wireNames(names: Iterable<string>, max = MAX_WIRE_NAME): Map<string, string> {
  const all = new Set(names);
  const uses = new Map<string, number>();
  for (const name of all) {
    const wire = spelled(name, max, false);
    uses.set(wire, (uses.get(wire) ?? 0) + 1);
  }
  const table = new Map<string, string>();
  for (const name of all) {
    const wire = spelled(name, max, false);
    table.set(name, wire !== name && (uses.get(wire) ?? 0) > 1 ? distinctWireName(name, max) : wire);
  }
  return table;
}
