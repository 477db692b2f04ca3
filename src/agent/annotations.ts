/** Infers the effects of tools from the verbs in their names. */
import { toolPrefix } from "../core/tools/names.js";
import type { ToolAnnotations } from "../core/types.js";

const READS = words(
  "check count describe diff explain export fetch find get has history inspect is list peek ping preview logs manifest query read recall search show stats status summary tail validate versions view who",
);
const DESTROYS = words(
  "clear close delete destroy drop erase forget kill overwrite prune purge remove replace reset restore rollback stop terminate truncate uninstall unload wipe",
);
const REPEATABLE = words(
  "approve assign close disable reject enable label mark put rename set unassign unload update upsert",
);
const ADDS = words(
  "add append approve assign bump claim comment create emit enable label log mark note open post publish record register reject reload rename reply report schedule send set share start submit tag unassign update upload",
);

function words(list: string): Set<string> {
  return new Set(list.split(" "));
}

/**
 * The annotations of a tool named `servicename_verb…`: `given` ones, else inferred. Tools with unknown verbs
 * count as destructive.
 *
 * @example
 * annotate("board_list_tasks", "board"); // { readOnly: true, destructive: false, idempotent: true }
 */
export function annotate(
  name: string,
  owner: string,
  given: ToolAnnotations = {},
): Required<ToolAnnotations> {
  const prefix = toolPrefix(owner);
  const lower = name.toLowerCase();
  const rest = lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
  const parts = rest.split(/[^a-z0-9]+/);
  const has = (verbs: Set<string>) => parts.some((part) => verbs.has(part));
  const first = parts[0] ?? "";
  const readOnly = said(given.readOnly) ?? (READS.has(first) && !has(DESTROYS));
  // Repeating a rollback goes further back, or forth again.
  const isEnd = has(DESTROYS) && !parts.includes("rollback");
  return {
    readOnly,
    destructive: said(given.destructive) ?? (!readOnly && (has(DESTROYS) || !has(ADDS))),
    idempotent: said(given.idempotent) ?? (readOnly || isEnd || REPEATABLE.has(first)),
  };
}

/** Annotations supplied by services may be anything; non-booleans are ignored. */
const said = (value: unknown) => (typeof value === "boolean" ? value : undefined);
