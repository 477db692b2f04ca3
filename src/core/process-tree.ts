/** Child processes beside the server: letting it go first, and ending them with everything they started. */
import { readdir, readFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { messageOf } from "./errors.js";

/** More rounds than a tree that keeps growing while it is being ended deserves. */
const MOST_ROUNDS = 5;

/**
 * Kills a child's process group; on Linux also its descendants that left the group, and processes that carry
 * `marker` (`KEY=value`) in the environment they were started with. The child must have been started `detached`,
 * so that the group is its own. Resolves when nothing that can be found is left.
 */
export async function endProcessTree(pid: number, marker?: string): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = await strays(pid, marker);
    kill(-pid);
    for (const stray of found) kill(stray);
    if (found.length === 0) return;
  }
}

/** Lets a child, and what it starts, have the processor only when nobody who is waiting for an answer needs it. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10);
  } catch (error) {
    // It has ended already, or the system does not allow it: then it runs like any other process.
    console.debug(`reef: process ${pid} keeps its priority: ${messageOf(error)}`);
  }
}

/** Kills a child's process group at once. What has left the group stays. */
export function endProcessGroup(pid: number): void {
  kill(-pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

interface Entry {
  pid: number;
  parent: number;
  group: number;
  marked: boolean;
}

/** Living processes that belong to the tree, the child itself included. */
async function strays(root: number, marker: string | undefined): Promise<number[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = (await Promise.all(pids.map((pid) => look(pid, marker)))).filter((entry) => entry !== null);
  const tree = new Set([root]);
  for (let size = 0; size < tree.size; ) {
    size = tree.size;
    for (const { pid, parent, group, marked } of entries) {
      if (pid !== process.pid && (marked || group === root || tree.has(parent))) tree.add(pid);
    }
  }
  return entries.filter(({ pid }) => tree.has(pid)).map(({ pid }) => pid);
}

/** `null` for a process that is gone, already dead, or not ours to look at. */
async function look(pid: number, marker: string | undefined): Promise<Entry | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may hold anything; the fields after it are plain.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return null;
    const environment = marker === undefined ? "" : await readFile(`/proc/${pid}/environ`, "latin1");
    const marked = marker !== undefined && environment.split("\0").includes(marker);
    return { pid, parent: Number(parent), group: Number(group), marked };
  } catch {
    // It ended while it was looked at, or belongs to another user.
    return null;
  }
}
