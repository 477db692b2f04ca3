/** Where tests of deploys work: folders in the system's temporary one, which name the server that they are for. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";
import { systemErrorCode } from "../../src/core/storage-error.js";

const NAME = /^reef-deploy-(\d+)-/;

/** Makes a folder for a run of tests for the server with this process id. */
export function makeScratch(server: number): Promise<string> {
  return fs.promises.mkdtemp(join(tmpdir(), `reef-deploy-${server}-`));
}

/** Removes what servers left that were killed in the middle of a deploy. Never rejects. */
export async function clearScratch(log: Logger): Promise<void> {
  try {
    for (const name of await fs.promises.readdir(tmpdir())) {
      const server = NAME.exec(name)?.[1];
      const path = join(tmpdir(), name);
      if (server === undefined || lives(Number(server)) || !(await isOurs(path))) continue;
      await fs.promises.rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    log.warn(`what earlier test runs left in ${tmpdir()} cannot be removed: ${messageOf(error)}`);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's lives, too.
    return systemErrorCode(error) !== "ESRCH";
  }
}

async function isOurs(path: string): Promise<boolean> {
  const { uid } = await fs.promises.lstat(path);
  return process.getuid === undefined || uid === process.getuid();
}
