/** How much memory processes hold. It can be told on Linux only. */
import { readFileSync } from "node:fs";

/** What a process holds: in memory, swapped out, and in the tables by which it finds that. */
const HELD = /^Vm(?:RSS|Swap|PTE):\s+(\d+) kB$/gm;

/** The bytes that a process holds, those included that it shares with others; null when that cannot be told. */
export function memoryOf(pid: number): number | null {
  return sumOf(`/proc/${pid}/status`, HELD);
}

/** What a process holds alone, and its part of what it shares with others. */
const SHARE = /^(?:Pss|SwapPss):\s+(\d+) kB$/gm;

/** The bytes that a process holds, its part alone of those that it shares; null when that cannot be told. */
export function shareOf(pid: number): number | null {
  const share = sumOf(`/proc/${pid}/smaps_rollup`, SHARE);
  return share === null ? null : share + (sumOf(`/proc/${pid}/status`, TABLES) ?? 0);
}

const TABLES = /^VmPTE:\s+(\d+) kB$/gm;

/** The sum of some lines of a file about a process, in bytes; null when there are none. */
function sumOf(path: string, lines: RegExp): number | null {
  try {
    const kilobytes = [...readFileSync(path, "latin1").matchAll(lines)].map(([, size]) => Number(size));
    return kilobytes.length === 0 ? null : kilobytes.reduce((sum, size) => sum + size) * 1024;
  } catch {
    // It has ended, belongs to another user, or this is not Linux.
    return null;
  }
}
