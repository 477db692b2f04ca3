/** Explains access errors of the operating system as missing permissions. */
import { isAbsolute } from "node:path";
import { holds } from "../../core/code/code-files.js";
import { BrokerError, type Denial } from "../errors.js";
import type { LoadedPlugin } from "../manifest.js";
import type { WireError } from "../protocol.js";
import { describeDenial, explain, type Party } from "./check.js";
import { realPathOrName } from "./paths.js";

/**
 * Converts an access error of the operating system into the permission that `plugin` or its callers lack;
 * `null` when it has another cause.
 */
export function explainSystemError(
  error: WireError,
  callers: readonly Party[],
  plugin: LoadedPlugin,
): BrokerError | null {
  if ((error.errno !== "EACCES" && error.errno !== "EPERM") || error.path === undefined) return null;
  if (!isAbsolute(error.path) || error.path.includes("\0")) return null;
  const denial = explainPath(realPathOrName(error.path), [...callers, plugin], plugin);
  return denial && new BrokerError("permission_denied", describeDenial(denial), { denial });
}

/** Plugins may always read their own code and folder. */
function explainPath(path: string, parties: readonly Party[], plugin: LoadedPlugin): Denial | null {
  const { id, root, code } = plugin;
  if (holds(code.path, path)) {
    const rule = "runs from a read-only copy; its folder is in process.env.EXTENSION";
    return { permission: "fs-write", resource: path, parties: [{ party: id, rule }] };
  }
  const reading = holds(root, path) ? null : explain(parties, "fs-read", path);
  return reading ?? explain(parties, "fs-write", path);
}
