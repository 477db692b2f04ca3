/** Child processes, and ending them with everything they started. */
import fs from "node:fs";
import { breathe } from "./breathe.js";
import { systemErrorCode } from "./storage-error.js";

/** More rounds than a tree that keeps growing while it is being ended deserves. */
const MOST_ROUNDS = 5;

/** How long what has been killed is waited for, and how often it is looked at, in milliseconds. */
const DYING_LIMIT_MS = 1000;
const DYING_POLL_MS = 2;

/**
 * Kills a child's process group; on Linux also its descendants that left the group, and processes that carry
 * `marker` (`KEY=value`) in the environment they were started with. The child must have been started `detached`,
 * so that the group is its own. Resolves when nothing that can be found is left.
 */
export async function endProcessTree(pid: number, marker?: string): Promise<void> {
  const killed = new Set<number>();
  const deadline = performance.now() + DYING_LIMIT_MS;
  for (let round = 0; round < MOST_ROUNDS; ) {
    const found = await processTree(pid, marker);
    kill(-pid);
    for (const one of found) kill(one);
    if (found.length === 0) return;
    const isDying = found.every((one) => killed.has(one)) && performance.now() < deadline;
    // It grows no more, but where many wait for the processor, dying takes longer than looking.
    if (isDying) await Bun.sleep(DYING_POLL_MS);
    else round++;
    for (const one of found) killed.add(one);
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
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

interface Entry {
  pid: number;
  parent: number;
  group: number;
  /** Undefined while its program is still being started; whoever started it may be gone by then. */
  marked: boolean | undefined;
}

/** How long processes are looked at before others get their turn, in milliseconds; each costs some hundredths. */
const AT_ONCE_MS = 0.5;

/** How long all that is only starting is waited for, and how often it is looked at, in milliseconds. */
const STARTING_LIMIT_MS = 500;
const STARTING_POLL_MS = 2;

/** Living processes that `endProcessTree` would end, the child itself included. None is found outside Linux. */
export async function processTree(root: number, marker?: string): Promise<number[]> {
  return treeOf(root, await allProcesses(marker));
}

/** The trees of several children, in their order, for the price of one. */
export async function processTrees(roots: readonly number[]): Promise<number[][]> {
  const entries = await allProcesses(undefined);
  return roots.map((root) => treeOf(root, entries));
}

async function allProcesses(marker: string | undefined): Promise<Entry[]> {
  if (process.platform !== "linux") return [];
  const pids = (await fs.promises.readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries: Entry[] = [];
  let since = performance.now();
  const deadline = since + STARTING_LIMIT_MS;
  for (const pid of pids) {
    if (performance.now() - since > AT_ONCE_MS) {
      await breathe();
      since = performance.now();
    }
    let entry = look(pid, marker);
    while (entry && entry.marked === undefined && performance.now() < deadline) {
      await Bun.sleep(STARTING_POLL_MS);
      entry = look(pid, marker);
    }
    if (entry) entries.push(entry);
  }
  return entries;
}

function treeOf(root: number, entries: readonly Entry[]): number[] {
  const tree = new Set([root]);
  for (let size = 0; size < tree.size; ) {
    size = tree.size;
    for (const { pid, parent, group, marked } of entries) {
      if (pid !== process.pid && (marked || group === root || tree.has(parent))) tree.add(pid);
    }
  }
  return entries.filter(({ pid }) => tree.has(pid)).map(({ pid }) => pid);
}

/** When this process was started, in the system's ticks: nothing that it has started is older. */
let ownStart: number | undefined;

/** The fields of `/proc/<pid>/stat` behind the command's name, which stands in parentheses and may hold anything. */
function statFields(pid: number | "self"): string[] {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

const readOf = (pid: number, what: string) => fs.readFileSync(`/proc/${pid}/${what}`, "latin1");

/** The kernel's own threads have no environment either. */
const KERNEL_THREAD = 0x00200000;
const isKernels = (fields: string[]) => (Number(fields[6]) & KERNEL_THREAD) !== 0;

/** What a process was started with; undefined while it has neither arguments nor an environment yet. */
function environmentOf(pid: number, fields: string[]): string | undefined {
  const environment = readOf(pid, "environ");
  if (environment !== "" || isKernels(fields)) return environment;
  const hasArguments = readOf(pid, "cmdline") !== "";
  return readOf(pid, "environ") || (hasArguments ? "" : undefined);
}

const startOf = (fields: string[]) => Number(fields[19]);

/** `null` for a process that is gone, already dead, older than this one, or not ours to look at. */
function look(pid: number, marker: string | undefined): Entry | null {
  try {
    const fields = statFields(pid);
    const [state, parent, group] = fields;
    ownStart ??= startOf(statFields("self"));
    if (state === "Z" || state === "X" || startOf(fields) < ownStart) return null;
    const marked = marker !== undefined && environmentOf(pid, fields)?.split("\0").includes(marker);
    return { pid, parent: Number(parent), group: Number(group), marked };
  } catch {
    // It ended while it was looked at, or belongs to another user.
    return null;
  }
}
