/** Temporary folders whose names begin with a word and the id of the process that they are for. */
import type { Stats } from "node:fs";
import { systemErrorCode } from "./storage-error.js";

/** The process that a folder called `<word>-<process id>-…` is for; undefined for other names. */
export function processOf(name: string, word: string): number | undefined {
  const [, id] = name.startsWith(word) ? (/^-(\d+)-/.exec(name.slice(word.length)) ?? []) : [];
  return id === undefined ? undefined : Number(id);
}

/** Whether a folder with this name is for a process that is gone. */
export function isAbandoned(name: string, word: string): boolean {
  const id = processOf(name, word);
  return id !== undefined && !lives(id);
}

/** Whether a file belongs to the user that this process runs as. */
export function isOurs({ uid }: Pick<Stats, "uid">): boolean {
  return process.getuid === undefined || uid === process.getuid();
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
