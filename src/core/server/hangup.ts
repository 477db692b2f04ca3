/** Whether the server ends with the terminal that it was started in. */
import { readFileSync } from "node:fs";

/** SIGHUP's bit in the signal mask; it is signal 1. */
const HANGUP = 1n;

/**
 * Whether SIGHUP is not being ignored. `nohup` ignores it to keep the server running, and installing a listener
 * would undo that. Known on Linux only; false elsewhere.
 */
export function heedsHangup(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return ignored !== undefined && (BigInt(`0x${ignored}`) & HANGUP) === 0n;
  } catch {
    // Not Linux.
    return false;
  }
}
