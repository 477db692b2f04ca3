import type { Denial } from "../errors.js";
import { matchesPath, pathPattern } from "./glob.js";
import { type HostPattern, matchesHost, parseEndpoint, parseHostPattern } from "./hosts.js";
import { type KindOfScope, kindOf } from "./names.js";
import type { Permissions, Scope } from "./set.js";
import { matchesWildcard } from "./wildcard.js";

/** Someone in a chain of calls, and what it was granted on its own. */
export interface Party {
  /** A plugin's identifier, or who else it is (`operator`, `service board`). */
  readonly id: string;
  readonly permissions: Permissions;
}

/** A command as it is asked for. */
export interface Command {
  command: string;
  args: readonly string[];
}

/** Reads a canonical command rule. */
export function parseCommandRule(rule: string): { command: string; args?: string[] } {
  return JSON.parse(rule) as { command: string; args?: string[] };
}

function matchesCommand(rule: string, resource: string): boolean {
  const allowed = parseCommandRule(rule);
  const asked = parseCommandRule(resource);
  if (allowed.command !== asked.command) return false;
  if (allowed.args === undefined) return true;
  const args = asked.args ?? [];
  const rest = allowed.args.at(-1) === "**";
  const fixed = rest ? allowed.args.slice(0, -1) : allowed.args;
  if (rest ? args.length < fixed.length : args.length !== fixed.length) return false;
  return fixed.every((pattern, index) => matchesWildcard(pattern, args[index] ?? ""));
}

const hostPatterns = new Map<string, HostPattern>();

function matchesEndpoint(rule: string, resource: string): boolean {
  let pattern = hostPatterns.get(rule);
  if (!pattern) {
    pattern = parseHostPattern(rule);
    if (hostPatterns.size > 5_000) hostPatterns.clear();
    hostPatterns.set(rule, pattern);
  }
  const endpoint = parseEndpoint(resource);
  return endpoint !== null && matchesHost(pattern, endpoint);
}

const MATCHERS: Record<KindOfScope, (rule: string, resource: string) => boolean> = {
  path: (rule, resource) => matchesPath(pathPattern(rule), resource),
  host: matchesEndpoint,
  command: matchesCommand,
  method: (rule, resource) => matchesWildcard(rule, resource) || matchesWildcard(`${rule}/*`, resource),
  name: (rule, resource) => matchesWildcard(rule, resource),
};

/** Whether one rule of a permission names a resource. */
export function matchesRule(permission: string, rule: string, resource: string): boolean {
  return MATCHERS[kindOf(permission)](rule, resource);
}

/** Why a scope stops a resource, or `null` when it lets it through. Deny is looked at first. */
function objection(
  permission: string,
  scope: Scope | undefined,
  resource: string | undefined,
): string | null {
  if (scope === undefined) return `has no "${permission}" permission`;
  if (resource === undefined) return null;
  const denied = scope.deny.find((rule) => matchesRule(permission, rule, resource));
  if (denied !== undefined) return `denies ${denied}`;
  const closed = scope.allow.find((list) => !list.some((rule) => matchesRule(permission, rule, resource)));
  if (closed === undefined) return null;
  return closed.length === 0 ? "allows nothing" : `allows only ${closed.join(", ")}`;
}

/** Whether the permissions reach a resource. Paths must be absolute and resolved. */
export function isAllowed(permissions: Permissions, permission: string, resource?: string): boolean {
  return permissions === "all" || objection(permission, permissions[permission], resource) === null;
}

/** Asks every party of a chain and explains a refusal; `null` when all of them agree. */
export function explain(parties: readonly Party[], permission: string, resource?: string): Denial | null {
  const objections: { party: string; rule: string }[] = [];
  for (const party of parties) {
    if (party.permissions === "all") continue;
    const rule = objection(permission, party.permissions[permission], resource);
    if (rule !== null) objections.push({ party: party.id, rule });
  }
  if (objections.length === 0) return null;
  return { permission, ...(resource === undefined ? {} : { resource }), parties: objections };
}

/** A refusal as one sentence. */
export function describeDenial(denial: Denial): string {
  const what =
    denial.resource === undefined ? denial.permission : `${denial.permission} of ${denial.resource}`;
  return `${what} is denied: ${denial.parties.map(({ party, rule }) => `${party} ${rule}`).join("; ")}`;
}
