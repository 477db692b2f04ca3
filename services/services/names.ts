/** Which services may be changed from outside? */
import { LoadFailure } from "../../src/core/load-failure.js";
import { assertFolderName } from "../../src/core/names.js";

/** Throws a `LoadFailure` for what cannot be a service's name, and for the manager itself. */
export function assertChangeable(name: string, manager: string): void {
  assertFolderName(name);
  if (name.toLowerCase() !== manager) return;
  const message = `"${name}" manages the services and cannot change itself; POST /services/reload loads changes of its code.`;
  throw new LoadFailure("PROTECTED", "find", message);
}
