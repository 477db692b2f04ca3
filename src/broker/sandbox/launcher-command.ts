import { realpathSync } from "node:fs";
import { join } from "node:path";
import { IN_NAMESPACE } from "./policy.js";

/** Where Bun itself lies. */
export const BUN = realpathSync(process.execPath);

const LAUNCHER = join(import.meta.dir, "launcher.ts");
let prefix: string[] = [];

/**
 * Has the launcher started through `unshare`, which can make a network namespace for users
 * who are not root. Returns whether there is one.
 */
export function useUserNamespace(use = true): boolean {
  const unshare = use ? Bun.which("unshare") : null;
  prefix = unshare === null ? [] : [unshare, "--user", "--map-root-user", "--net"];
  return unshare !== null;
}

/** The command that starts the launcher. */
export function launcherCommand(): string[] {
  return [...prefix, BUN, LAUNCHER, ...(prefix.length > 0 ? [IN_NAMESPACE] : [])];
}
