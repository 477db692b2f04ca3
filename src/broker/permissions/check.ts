/** Decides whether permissions cover a resource, and explains denials. */
import { truncate } from "../../core/truncate.js";
import type { Denial } from "../errors.js";
import { matchesPath, pathPattern } from "./glob.js";
import { type Endpoint, type HostPattern, matchesHost, parseEndpoint, parseHostPattern } from "./hosts.js";
import { type KindOfScope, kindOf } from "./names.js";
import type { Permissions, Scope } from "./set.js";
import { matchesWildcard } from "./wildcard.js";

/** A party in a call chain with its own permissions. */
export interface Party {
  /** A plugin's identifier, or another caller's name (`operator`, `service board`). */
  readonly id: string;
  readonly permissions: Permissions;
}

/** A requested command. */
export interface Command {
  command: string;
  args: readonly string[];
}

/** Parses a canonical command rule. */
function parseCommandRule(rule: string): { command: string; args?: string[] } {
  return JSON.parse(rule) as { command: string; args?: string[] };
}

function matchesCommand(rule: string, asked: { command: string; args?: string[] }): boolean {
  const allowed = parseCommandRule(rule);
  if (allowed.command !== asked.command) return false;
  if (allowed.args === undefined) return true;
  const args = asked.args ?? [];
  const rest = allowed.args.at(-1) === "**";
  const fixed = rest ? allowed.args.slice(0, -1) : allowed.args;
  if (rest ? args.length < fixed.length : args.length !== fixed.length) return false;
  return fixed.every((pattern, index) => matchesWildcard(pattern, args[index] ?? ""));
}

const hostPatterns = new Map<string, HostPattern>();

function matchesEndpoint(rule: string, endpoint: Endpoint): boolean {
  let pattern = hostPatterns.get(rule);
  if (!pattern) {
    pattern = parseHostPattern(rule);
    if (hostPatterns.size > 5_000) hostPatterns.clear();
    hostPatterns.set(rule, pattern);
  }
  return matchesHost(pattern, endpoint);
}

type MatchesRule = (rule: string) => boolean;

/** Matchers by kind of resource. The resource is parsed once for all rules. */
const MATCHERS: Record<KindOfScope, (resource: string) => MatchesRule> = {
  path: (resource) => (rule) => matchesPath(pathPattern(rule), resource),
  host: (resource) => {
    const endpoint = parseEndpoint(resource);
    return (rule) => endpoint !== null && matchesEndpoint(rule, endpoint);
  },
  command: (resource) => {
    const asked = parseCommandRule(resource);
    return (rule) => matchesCommand(rule, asked);
  },
  method: (resource) => (rule) => matchesWildcard(rule, resource) || matchesWildcard(`${rule}/*`, resource),
  name: (resource) => (rule) => matchesWildcard(rule, resource),
};

/** Whether any of a permission's rules matches a resource. */
export function matchesAny(permission: string, rules: readonly string[], resource: string): boolean {
  return rules.some(MATCHERS[kindOf(permission)](resource));
}

/** The maximum length of a rule or resource in messages. */
const MAX_SHOWN = 800;

/** Why a scope denies a resource; `null` when it allows it. Deny rules come first. */
function objection(
  permission: string,
  scope: Scope | undefined,
  resource: string | undefined,
): string | null {
  if (scope === undefined) return `has no "${permission}" permission`;
  if (resource === undefined) return null;
  const matches = MATCHERS[kindOf(permission)](resource);
  const denied = scope.deny.find(matches);
  if (denied !== undefined) return truncate(`denies ${denied}`, MAX_SHOWN);
  const closed = scope.allow.find((list) => !list.some(matches));
  if (closed === undefined) return null;
  return closed.length === 0 ? "allows nothing" : truncate(`allows only ${closed.join(", ")}`, MAX_SHOWN);
}

/**
 * Whether permissions cover a resource. Paths must be absolute and resolved.
 *
 * @example
 * isAllowed(permissions, "fs-read", "/srv/data/report.csv");
 */
export function isAllowed(permissions: Permissions, permission: string, resource?: string): boolean {
  return permissions === "all" || objection(permission, permissions[permission], resource) === null;
}

/** Checks all parties of a chain. Returns the reasons of a denial; `null` when all allow it. */
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

/** Describes a denial in one sentence. */
export function describeDenial(denial: Denial): string {
  const what =
    denial.resource === undefined
      ? denial.permission
      : `${denial.permission} of ${truncate(denial.resource, MAX_SHOWN)}`;
  return `${what} is denied: ${denial.parties.map(({ party, rule }) => `${party} ${rule}`).join("; ")}`;
}
