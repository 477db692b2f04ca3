/** Derives tool names that model providers accept from canonical names. */
import { createHash } from "node:crypto";

/** The longest name that all known providers accept. */
export const MAX_WIRE_NAME = 64;

const HASH_LENGTH = 8;

/**
 * The prefix of a service's tool names, which keeps those of two services from colliding.
 *
 * @example
 * toolPrefix("Task-Board"); // "task_board_"
 */
export function toolPrefix(service: string): string {
  return `${service.toLowerCase().replace(/[^a-z0-9]+/g, "_")}_`;
}

/** The prefix of the names of plugins' methods. */
const PLUGIN_PREFIX = "plugin__";

/**
 * How strong a service's claim to a tool's name is: the length of the service's prefix if the name begins with it,
 * otherwise 0. Of two tools with one name, the stronger claim keeps it.
 */
export function claimOn(tool: string, service: string): number {
  const prefix = toolPrefix(service);
  return tool.startsWith(prefix) && !tool.startsWith(PLUGIN_PREFIX) ? prefix.length : 0;
}

/** Replaces unsafe characters; shortens the name and appends a hash when it is too long or must be `distinct`. */
function spelled(name: string, max: number, distinct: boolean): string {
  const safe = name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";
  if (!distinct && safe.length <= max) return safe;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return `${safe.slice(0, max - HASH_LENGTH - 1)}_${hash}`;
}

/** A wire name with a hash, for names whose plain wire name is taken. */
export function distinctWireName(name: string, max = MAX_WIRE_NAME): string {
  return spelled(name, max, true);
}

/**
 * The wire names of canonical names. Safe names are unchanged; unsafe characters become `_`; names that are too
 * long or would collide end in `_` and eight hexadecimal digits. Independent of order.
 *
 * @param max The maximum length of a wire name.
 * @example
 * wireNames(["board_list", "plugin__com.example__add"]);
 * // Map { "board_list" => "board_list", "plugin__com.example__add" => "plugin__com_example__add" }
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
