/** Finds and ends child processes with everything that they started. */
import fs from "node:fs";
import { yieldToEventLoop } from "./event-loop.js";
import { systemErrorCode } from "./storage-error.js";

/** The maximum number of rounds, for trees that keep growing while they are being ended. */
const MAX_ROUNDS = 5;

/**
 * How long to wait for killed processes, and the poll interval, in milliseconds: freeing much memory takes a
 * while, and a process that waits for a broken disk does not end.
 */
const ENDING_LIMIT_MS = 2000;
const ENDING_POLL_MS = 2;

/**
 * Kills a child's process group. On Linux also kills descendants that left the group, and processes that carry
 * `marker` (`KEY=value`) in their initial environment. The child must have been started `detached`, so that it
 * has a group of its own. Resolves when no process is found any more, or after two seconds of waiting for one.
 */
export async function endProcessTree(pid: number, marker?: string): Promise<void> {
  const deadline = performance.now() + ENDING_LIMIT_MS;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = await processTree(pid, marker);
    kill(-pid);
    for (const one of found) kill(one);
    if (found.length === 0) return;
    while (found.some((one) => inspect(one, undefined) !== null) && performance.now() < deadline) {
      await Bun.sleep(ENDING_POLL_MS);
    }
  }
}

/** Kills a child's process group at once. Processes that left the group keep running. */
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
  /** Whether it carries the marker; undefined while its program is still being started. */
  marked: boolean | undefined;
}

/**
 * The length of a time slice before yielding to the event loop, in milliseconds. Inspecting a process takes
 * some hundredths.
 */
const SLICE_MS = 0.5;

/** How long to wait for processes that are still starting, and the poll interval, in milliseconds. */
const STARTING_LIMIT_MS = 500;
const STARTING_POLL_MS = 2;

/** The living processes that `endProcessTree` would end, including the child itself. Empty except on Linux. */
export async function processTree(root: number, marker?: string): Promise<number[]> {
  return treeOf(root, await allProcesses(marker));
}

/** The trees of several children, in the order given, for the cost of one scan. */
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
    if (performance.now() - since > SLICE_MS) {
      await yieldToEventLoop();
      since = performance.now();
    }
    let entry = inspect(pid, marker);
    while (entry && entry.marked === undefined && performance.now() < deadline) {
      await Bun.sleep(STARTING_POLL_MS);
      entry = inspect(pid, marker);
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

/** The start time of this process in clock ticks; its descendants are not older. */
let ownStart: number | undefined;

/** The fields of `/proc/<pid>/stat` after the command name, which is in parentheses and may contain anything. */
function statFields(pid: number | "self"): string[] {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

const readOf = (pid: number, what: string) => fs.readFileSync(`/proc/${pid}/${what}`, "latin1");

/** Kernel threads have no environment either. */
const KERNEL_THREAD = 0x00200000;
const isKernelThread = (fields: string[]) => (Number(fields[6]) & KERNEL_THREAD) !== 0;

/** The initial environment of a process; undefined while it has neither arguments nor an environment yet. */
function environmentOf(pid: number, fields: string[]): string | undefined {
  const environment = readOf(pid, "environ");
  if (environment !== "" || isKernelThread(fields)) return environment;
  const hasArguments = readOf(pid, "cmdline") !== "";
  return readOf(pid, "environ") || (hasArguments ? "" : undefined);
}

const startOf = (fields: string[]) => Number(fields[19]);

/** Inspects a process. `null` for one that is gone, a zombie, older than this one, or inaccessible. */
function inspect(pid: number, marker: string | undefined): Entry | null {
  try {
    const fields = statFields(pid);
    const [state, parent, group] = fields;
    ownStart ??= startOf(statFields("self"));
    if (state === "Z" || state === "X" || startOf(fields) < ownStart) return null;
    const marked = marker !== undefined && environmentOf(pid, fields)?.split("\0").includes(marker);
    return { pid, parent: Number(parent), group: Number(group), marked };
  } catch {
    // It ended meanwhile, or belongs to another user.
    return null;
  }
}
