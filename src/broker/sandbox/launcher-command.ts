/** The command that starts the sandbox launcher. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { IN_NAMESPACE } from "./policy.js";

/** The path of Bun. */
export const BUN = realpathSync(process.execPath);

const LAUNCHER = join(import.meta.dir, "launcher.ts");
let prefix: string[] = [];

/**
 * Makes the launcher start through `unshare`, which can create a network namespace for unprivileged users.
 * Returns whether it is available.
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
