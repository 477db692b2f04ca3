/** The names and kinds of permissions. */

/** How a permission's entries are matched. */
export type KindOfScope = "path" | "host" | "command" | "method" | "name";

/** Permissions whose scopes the broker or the operating system enforces. */
export const SCOPED_PERMISSIONS: Readonly<Record<string, KindOfScope>> = {
  "fs-read": "path",
  "fs-write": "path",
  network: "host",
  "shell:execute": "command",
  env: "name",
  "service:call": "method",
  events: "name",
};

/** Example entries by kind, for error messages. */
export const EXAMPLES: Readonly<Record<KindOfScope, string | object>> = {
  path: "$EXTENSION_SUPPORT/**",
  host: "*.example.com",
  command: { command: "git", args: ["log"] },
  method: "com.example.math-plugin/math/*",
  name: "EXAMPLE_*",
};

/** Permissions that only the operating system can enforce. */
export const OS_ENFORCED: readonly string[] = ["fs-read", "fs-write", "network", "shell:execute", "env"];

/** The kind of a permission; unknown permissions are matched by name, with `*` as a wildcard. */
export function kindOf(permission: string): KindOfScope {
  return Object.hasOwn(SCOPED_PERMISSIONS, permission) ? (SCOPED_PERMISSIONS[permission] ?? "name") : "name";
}

const ALIASES: Readonly<Record<string, string>> = {
  "fs:read": "fs-read",
  "fs:read-file": "fs-read",
  "fs:read-dir": "fs-read",
  "fs:exists": "fs-read",
  "fs:stat": "fs-read",
  "fs:write": "fs-write",
  "fs:write-file": "fs-write",
  "fs:mkdir": "fs-write",
  "fs:remove": "fs-write",
  "fs:rename": "fs-write",
  "fs:truncate": "fs-write",
  fetch: "network",
  "network:fetch": "network",
  "shell-execute": "shell:execute",
  "service-call": "service:call",
  "services:call": "service:call",
  "event:emit": "events",
};

/** The canonical name of a permission. */
export function permissionName(spelling: string): string {
  return Object.hasOwn(ALIASES, spelling) ? (ALIASES[spelling] ?? spelling) : spelling;
}
