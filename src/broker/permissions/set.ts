/**
 * How far one permission reaches. An action must be named by some entry of *every* list
 * in `allow` and by none in `deny`; no list at all means there is nothing to narrow.
 * Lists and entries are sorted and free of repetition, so equal reaches are equal as JSON.
 */
export interface Scope {
  readonly allow: readonly (readonly string[])[];
  readonly deny: readonly string[];
}

/** Permissions by name. A simple permission has an empty scope. */
export type PermissionSet = Readonly<Record<string, Scope>>;

/** A permission set, or `"all"` for a caller that is trusted with everything. */
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

/** A set in canonical form: names, lists and entries sorted, nothing twice. */
export function canonical(entries: Iterable<readonly [string, Scope]>): PermissionSet {
  const sorted = [...entries].sort(([a], [b]) => compare(a, b));
  const scopes = sorted.map(([name, scope]): [string, Scope] => [
    name,
    { allow: distinctLists(scope.allow), deny: distinct(scope.deny) },
  ]);
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(scopes)) as PermissionSet);
}

/**
 * What two parties may do together: the permissions that both have, every allow list of
 * either kept, deny lists united. Commutative, associative and idempotent; `"all"` is neutral.
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

/** The text that identifies a permission set: equal rights, equal key. */
export function permissionKey(permissions: Permissions): string {
  return permissions === "all" ? "all" : JSON.stringify(permissions);
}
