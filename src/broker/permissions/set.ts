/** Permission sets and their intersection. */

/**
 * The scope of a permission. A resource must match an entry of *every* list in `allow`, and none in `deny`;
 * without lists, nothing is restricted. Lists and entries are sorted and unique, so equal scopes are equal as
 * JSON.
 */
export interface Scope {
  readonly allow: readonly (readonly string[])[];
  readonly deny: readonly string[];
}

/** Scopes by permission name. Simple permissions have an empty scope. */
export type PermissionSet = Readonly<Record<string, Scope>>;

/** A permission set, or `"all"` for trusted callers. */
export type Permissions = PermissionSet | "all";

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort(compare);
}

function distinctLists(lists: readonly (readonly string[])[]): string[][] {
  const byKey = new Map(lists.map((list) => [JSON.stringify(distinct(list)), distinct(list)]));
  return [...byKey].sort(([a], [b]) => compare(a, b)).map(([, list]) => list);
}

/** The canonical form of a set: names, lists and entries are sorted and unique. */
export function canonical(entries: Iterable<readonly [string, Scope]>): PermissionSet {
  const sorted = [...entries].sort(([a], [b]) => compare(a, b));
  const scopes = sorted.map(([name, scope]): [string, Scope] => [
    name,
    { allow: distinctLists(scope.allow), deny: distinct(scope.deny) },
  ]);
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(scopes)) as PermissionSet);
}

/**
 * The permissions that two parties have together: those that both have, with all allow lists of both and all
 * deny rules of both. Commutative, associative and idempotent; `"all"` is neutral.
 *
 * @example
 * intersect("all", permissions) === permissions; // true
 */
export function intersect(a: Permissions, b: Permissions): Permissions {
  if (a === "all") return b;
  if (b === "all") return a;
  const shared: [string, Scope][] = [];
  for (const [name, mine] of Object.entries(a)) {
    const theirs = b[name];
    if (theirs === undefined) continue;
    shared.push([name, { allow: [...mine.allow, ...theirs.allow], deny: [...mine.deny, ...theirs.deny] }]);
  }
  return canonical(shared);
}

/** A key that is equal for equal permission sets. */
export function permissionKey(permissions: Permissions): string {
  return permissions === "all" ? "all" : JSON.stringify(permissions);
}
