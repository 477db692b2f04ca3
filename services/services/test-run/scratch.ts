/** Where tests of deploys work: folders in the system's temporary one, which name the server that they are for. */

import type { Logger } from "../../../src/core/log.js";
import { clearAbandoned, makeTemporary } from "../../../src/core/temporary-folders.js";

const WORD = "reef-deploy";

/** Makes a folder for a run of tests for the server with this process id. */
export function makeScratch(server: number): Promise<string> {
  return makeTemporary(WORD, server);
}

/** Removes what servers left that were killed in the middle of a deploy. Never rejects. */
export function clearScratch(log: Logger): Promise<void> {
  return clearAbandoned(WORD, log);
}
