/** Temporary folders that are named after a process, so that those of killed processes can be removed. */
import fs, { type Stats } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "./errors.js";
import type { Logger } from "./log.js";
import { systemErrorCode } from "./storage-error.js";

/** The process id in a folder name of the form `<word>-<process id>-…`; undefined for other names. */
export function processOf(name: string, word: string): number | undefined {
  const [, id] = name.startsWith(word) ? (/^-(\d+)-/.exec(name.slice(word.length)) ?? []) : [];
  return id === undefined ? undefined : Number(id);
}

/** Whether a folder name belongs to a process that no longer runs. */
export function isAbandoned(name: string, word: string): boolean {
  const id = processOf(name, word);
  return id !== undefined && !lives(id);
}

/** Whether a file belongs to the user that this process runs as. */
export function isOurs({ uid }: Pick<Stats, "uid">): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

/** Creates a folder for a process in the system's temporary folder. */
export function makeTemporary(word: string, pid: number): Promise<string> {
  return fs.promises.mkdtemp(join(tmpdir(), `${word}-${pid}-`));
}

/** Removes the folders of this word that were left by killed processes. Never rejects. */
export async function clearAbandoned(word: string, log: Pick<Logger, "warn">): Promise<void> {
  try {
    for (const name of await fs.promises.readdir(tmpdir())) {
      const path = join(tmpdir(), name);
      if (!isAbandoned(name, word) || !isOurs(await fs.promises.lstat(path))) continue;
      await fs.promises.rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    log.warn(`cannot remove old "${word}" folders in ${tmpdir()}: ${messageOf(error)}`);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return systemErrorCode(error) !== "ESRCH";
  }
}
