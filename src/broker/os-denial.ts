import { isAbsolute } from "node:path";
import { BrokerError } from "./errors.js";
import { describeDenial, explain, type Party } from "./permissions/check.js";
import { realPathAsFarAsPossible } from "./permissions/paths.js";
import type { WireError } from "./protocol.js";

/** Turns a refusal by the operating system into the permission it stands for; `null` when it was for another reason. */
export function explainSystemError(error: WireError, parties: readonly Party[]): BrokerError | null {
  if ((error.errno !== "EACCES" && error.errno !== "EPERM") || error.path === undefined) return null;
  if (!isAbsolute(error.path) || error.path.includes("\0")) return null;
  let path = error.path;
  try {
    path = realPathAsFarAsPossible(error.path);
  } catch {
    // What cannot be resolved is explained by the name that was used.
    path = error.path;
  }
  const denial = explain(parties, "fs-read", path) ?? explain(parties, "fs-write", path);
  return denial && new BrokerError("permission_denied", describeDenial(denial), { denial });
}
