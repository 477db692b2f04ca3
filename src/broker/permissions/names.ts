/** How the entries of a permission's lists are compared. */
export type KindOfScope = "path" | "host" | "command" | "method" | "name";

/** The permissions whose scopes mean something to the broker or the operating system. */
export const SCOPED_PERMISSIONS: Readonly<Record<string, KindOfScope>> = {
  "fs-read": "path",
  "fs-write": "path",
  network: "host",
  "shell:execute": "command",
  env: "name",
  "service:call": "method",
  events: "name",
};

/** An entry of an allow list of each kind, for those who forgot theirs. */
export const EXAMPLES: Readonly<Record<KindOfScope, string | object>> = {
  path: "$EXTENSION_SUPPORT/**",
  host: "*.example.com",
  command: { command: "git", args: ["log"] },
  method: "com.example.math-plugin/math/*",
  name: "EXAMPLE_*",
};

/** Those that only the operating system can hold a worker to. */
export const OS_ENFORCED: readonly string[] = ["fs-read", "fs-write", "network", "shell:execute", "env"];

/** How a permission's entries are compared; unknown ones by name, `*` standing for any text. */
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

/** The one name of a permission that has several spellings. */
export function permissionName(spelling: string): string {
  return Object.hasOwn(ALIASES, spelling) ? (ALIASES[spelling] ?? spelling) : spelling;
}
