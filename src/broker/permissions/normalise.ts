/** Normalises the permissions of manifests, in any of their notations. */
import { messageOf } from "../../core/errors.js";
import { isObject, type JsonObject } from "../../core/objects.js";
import { ManifestError } from "../errors.js";
import { parseHostPattern } from "./hosts.js";
import { EXAMPLES, kindOf, permissionName, SCOPED_PERMISSIONS } from "./names.js";
import { type PathAliases, resolvePathPattern } from "./paths.js";
import { canonical, type PermissionSet, type Scope } from "./set.js";

type Side = "allow" | "deny";

/** The lists of one permission while a manifest is being read; `allow` is `null` while there is no list. */
interface Draft {
  allow: string[] | null;
  deny: string[];
  /** The total length of all rules. */
  size: number;
}

const NAME = /^[a-zA-Z][\w.-]*(:[\w.-]+)*$/;
const NESTED_SCOPES: Readonly<Record<string, string>> = {
  read: "fs-read",
  write: "fs-write",
  net: "network",
  env: "env",
  run: "shell:execute",
  ffi: "ffi",
  sys: "sys",
};
/** The maximum total length of a permission's rules: each request is matched against all of them. */
const MAX_RULES = 32 * 1024;
const KNOWN_KEYS = ["permission", "allow", "deny", "domains"];

/**
 * Normalises the permissions of a manifest. `field` is their location, for errors.
 *
 * @throws ManifestError
 */
export function normalisePermissions(
  raw: unknown,
  aliases: PathAliases,
  field = "permissions",
): PermissionSet {
  if (raw === undefined) return canonical([]);
  if (!Array.isArray(raw)) throw new ManifestError(field, "must be a list of permissions");
  const drafts = new Map<string, Draft>();
  for (const [index, entry] of raw.entries()) readEntry(entry, `${field}[${index}]`, aliases, drafts);
  return canonical(
    [...drafts].map(([name, { allow, deny }]): [string, Scope] => [
      name,
      { allow: allow === null ? [] : [allow], deny },
    ]),
  );
}

function readEntry(entry: unknown, field: string, aliases: PathAliases, drafts: Map<string, Draft>): void {
  if (typeof entry !== "string" && !isObject(entry)) {
    throw new ManifestError(field, "must be a name or an object with a permission and its scope");
  }
  const spelling = typeof entry === "string" ? entry : entry.permission;
  if (typeof spelling !== "string" || !NAME.test(spelling)) {
    throw new ManifestError(field, "needs the name of a permission, such as storage or fs-read");
  }
  const name = permissionName(spelling);
  const isScoped = Object.hasOwn(SCOPED_PERMISSIONS, name);
  const scope = typeof entry === "string" ? {} : entry;
  const lists = listsOf(scope, name, field);
  if (isScoped && lists.length === 0) throw missingAllowList(spelling, name, field);
  const draft = draftOf(drafts, name);
  if (lists.length > 0 && (isScoped || lists.some(({ side }) => side === "allow"))) draft.allow ??= [];
  for (const { side, at, items } of lists) {
    for (const [index, item] of items.entries()) {
      readItem({ item, side, name, at: `${at}[${index}]`, aliases, drafts });
    }
  }
}

/** One list of an entry, with its location. */
interface List {
  side: Side;
  at: string;
  items: unknown[];
}

/** The lists that an entry has. */
function listsOf(scope: JsonObject, name: string, field: string): List[] {
  for (const key of Object.keys(scope)) {
    if (!KNOWN_KEYS.includes(key))
      throw new ManifestError(`${field}.${key}`, "is not a known field of a permission");
  }
  if (scope.domains !== undefined && name !== "network") {
    throw new ManifestError(`${field}.domains`, "applies only to the network permission");
  }
  const lists: List[] = [];
  for (const key of ["allow", "domains", "deny"]) {
    const value = scope[key];
    if (value === undefined) continue;
    const at = `${field}.${key}`;
    const items = value === "*" ? ["*"] : value;
    if (!Array.isArray(items)) throw new ManifestError(at, "must be a list");
    lists.push({ side: key === "deny" ? "deny" : "allow", at, items });
  }
  return lists;
}

function missingAllowList(spelling: string, name: string, field: string): ManifestError {
  const example = `{ "permission": "${name}", "allow": [${JSON.stringify(EXAMPLES[kindOf(name)])}] }`;
  const what = `"${spelling}" needs an allow list`;
  return new ManifestError(field, `${what}, e.g. ${example}`);
}

interface Item {
  item: unknown;
  side: Side;
  name: string;
  at: string;
  aliases: PathAliases;
  drafts: Map<string, Draft>;
}

function readItem({ item, side, name, at, aliases, drafts }: Item): void {
  if (isObject(item) && Object.keys(item).some((key) => Object.hasOwn(NESTED_SCOPES, key))) {
    readNestedScopes(item, side, at, aliases, drafts);
    if (item.path === undefined && item.cmd === undefined && item.command === undefined) return;
    if (name in SCOPED_PERMISSIONS && kindOf(name) !== "path" && item.path !== undefined) return;
  }
  add({ drafts, name, side, at }, scopeEntry(name, item, at, aliases));
}

/** A Deno-like command scope: permissions of the command count as the plugin's. */
function readNestedScopes(
  item: JsonObject,
  side: Side,
  at: string,
  aliases: PathAliases,
  drafts: Map<string, Draft>,
): void {
  for (const [key, name] of Object.entries(NESTED_SCOPES)) {
    const value = item[key];
    if (value === undefined) continue;
    const where = `${at}.${key}`;
    const items = value === "*" ? [kindOf(name) === "path" ? "/**" : "*"] : value;
    if (!Array.isArray(items) || items.some((one) => typeof one !== "string")) {
      throw new ManifestError(where, 'must be "*" or a list of strings');
    }
    for (const [index, text] of (items as string[]).entries()) {
      const spot = `${where}[${index}]`;
      add({ drafts, name, side, at: spot }, scopeEntry(name, text, spot, aliases));
      // In this notation, a path includes everything below it.
      if (kindOf(name) === "path" && !text.endsWith("*")) {
        add({ drafts, name, side, at: spot }, scopeEntry(name, `${text}/**`, spot, aliases));
      }
    }
  }
}

function scopeEntry(name: string, item: unknown, at: string, aliases: PathAliases): string {
  const kind = kindOf(name);
  try {
    if (kind === "command") return commandEntry(item);
    const text = textOf(item);
    if (kind === "path") return resolvePathPattern(text === "*" ? "/**" : text, aliases);
    if (kind === "host") return parseHostPattern(text).source;
    return text;
  } catch (error) {
    throw new ManifestError(at, messageOf(error));
  }
}

function textOf(item: unknown): string {
  const value = isObject(item) ? (item.path ?? item.url ?? item.domain ?? item.name) : item;
  if (typeof value !== "string" || value === "")
    throw new Error("must be a string or an object with a path or url");
  return value;
}

function commandEntry(item: unknown): string {
  const outer = typeof item === "string" ? { command: item } : item;
  const inner = isObject(outer) && isObject(outer.cmd) ? outer.cmd : outer;
  if (!isObject(inner)) throw new Error("must be a command, such as { command, args }");
  const command = inner.command ?? inner.program;
  if (typeof command !== "string" || command === "" || command.includes("\0")) {
    throw new Error("needs the command to run");
  }
  const { args } = inner;
  if (args === undefined) return JSON.stringify({ command });
  if (!Array.isArray(args) || args.some((value) => typeof value !== "string")) {
    throw new Error("args must be a list of strings");
  }
  return JSON.stringify({ command, args });
}

function draftOf(drafts: Map<string, Draft>, name: string): Draft {
  const known = drafts.get(name);
  if (known) return known;
  const draft: Draft = { allow: null, deny: [], size: 0 };
  drafts.set(name, draft);
  return draft;
}

function add({ drafts, name, side, at }: Pick<Item, "drafts" | "name" | "side" | "at">, entry: string): void {
  const draft = draftOf(drafts, name);
  draft.size += entry.length;
  if (draft.size > MAX_RULES) {
    throw new ManifestError(at, `"${name}" has more than ${MAX_RULES} characters of rules; use wildcards`);
  }
  if (side === "deny") draft.deny.push(entry);
  else draft.allow = [...(draft.allow ?? []), entry];
  if (Object.hasOwn(SCOPED_PERMISSIONS, name)) draft.allow ??= [];
}
