/** What processes use of the machine. It can be told on Linux only. */
import { readFileSync } from "node:fs";

export interface Usage {
  /** The bytes that it holds, those included that it shares with others. */
  memory: number;
  threads: number;
}

/** In memory, swapped out, and in the tables by which it finds that. */
const HELD = /^Vm(?:RSS|Swap|PTE):\s+(\d+) kB$/gm;
const THREADS = /^Threads:\s+(\d+)$/gm;
/** What it holds alone, and its part of what it shares. */
const SHARE = /^(?:Pss|SwapPss):\s+(\d+) kB$/gm;
const TABLES = /^VmPTE:\s+(\d+) kB$/gm;

/** What a process uses; null when that cannot be told. */
export function usageOf(pid: number): Usage | null {
  const status = about(pid, "status") ?? "";
  const memory = sumOf(status, HELD);
  return memory === null ? null : { memory: memory * 1024, threads: sumOf(status, THREADS) ?? 1 };
}

const FILTERS = /^Seccomp_filters:\s+(\d+)$/gm;
/** Those of this process, which all that it starts has as well. */
let ownFilters: number | null | undefined;

/**
 * Whether a process has a filter of system calls that this one has not, as all have that are confined: those that
 * prepare or serve one have not. True where it cannot be told.
 */
export function isFiltered(pid: number): boolean {
  ownFilters ??= sumOf(about("self", "status") ?? "", FILTERS);
  const filters = sumOf(about(pid, "status") ?? "", FILTERS);
  return filters === null || ownFilters === null || filters > ownFilters;
}

/** The bytes that a process holds, of those that it shares its part alone; null when that cannot be told. */
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

/** The sum of the numbers in some lines; null when there are none. */
function sumOf(text: string, lines: RegExp): number | null {
  const numbers = [...text.matchAll(lines)].map(([, number]) => Number(number));
  return numbers.length === 0 ? null : numbers.reduce((one, other) => one + other);
}
