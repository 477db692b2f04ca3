/** Resource usage of processes; known on Linux only. */
import { readFileSync } from "node:fs";

/** The usage of a process. */
export interface Usage {
  /** Memory in bytes, including shared memory. */
  memory: number;
  threads: number;
}

/** Resident, swapped, and page tables. */
const HELD = /^Vm(?:RSS|Swap|PTE):\s+(\d+) kB$/gm;
const THREADS = /^Threads:\s+(\d+)$/gm;
/** Proportional share: private memory plus its share of shared memory. */
const SHARE = /^(?:Pss|SwapPss):\s+(\d+) kB$/gm;
const TABLES = /^VmPTE:\s+(\d+) kB$/gm;

/** The usage of a process; null when unknown. */
export function usageOf(pid: number): Usage | null {
  const status = about(pid, "status") ?? "";
  const memory = sumOf(status, HELD);
  return memory === null ? null : { memory: memory * 1024, threads: sumOf(status, THREADS) ?? 1 };
}

const FILTERS = /^Seccomp_filters:\s+(\d+)$/gm;
/** The number of filters of this process, which its children inherit. */
let ownFilters: number | null | undefined;

/**
 * Whether a process has more seccomp filters than this one, as all confined processes do, unlike their
 * launchers and relays. True when unknown.
 */
export function isFiltered(pid: number): boolean {
  ownFilters ??= sumOf(about("self", "status") ?? "", FILTERS);
  const filters = sumOf(about(pid, "status") ?? "", FILTERS);
  return filters === null || ownFilters === null || filters > ownFilters;
}

/** The memory of a process in bytes, with only its share of shared memory; null when unknown. */
export function shareOf(pid: number): number | null {
  const share = sumOf(about(pid, "smaps_rollup") ?? "", SHARE);
  return share === null ? null : (share + (sumOf(about(pid, "status") ?? "", TABLES) ?? 0)) * 1024;
}

function about(pid: number | "self", file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // It has ended, belongs to another user, or this is not Linux.
    return null;
  }
}

/** The sum of the numbers in matching lines; null when there are none. */
function sumOf(text: string, lines: RegExp): number | null {
  const numbers = [...text.matchAll(lines)].map(([, number]) => Number(number));
  return numbers.length === 0 ? null : numbers.reduce((one, other) => one + other);
}
