/** Where tests of deploys work: folders in the system's temporary one, which name the server that they are for. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAbandoned, isOurs } from "../../src/core/abandoned.js";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";

const WORD = "reef-deploy";

/** Makes a folder for a run of tests for the server with this process id. */
export function makeScratch(server: number): Promise<string> {
  return fs.promises.mkdtemp(join(tmpdir(), `${WORD}-${server}-`));
}

/** Removes what servers left that were killed in the middle of a deploy. Never rejects. */
export async function clearScratch(log: Logger): Promise<void> {
  try {
    for (const name of await fs.promises.readdir(tmpdir())) {
      const path = join(tmpdir(), name);
      if (!isAbandoned(name, WORD) || !isOurs(await fs.promises.lstat(path))) continue;
      await fs.promises.rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    log.warn(`what earlier test runs left in ${tmpdir()} cannot be removed: ${messageOf(error)}`);
  }
}
