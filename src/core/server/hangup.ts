/** Does the server end with the terminal that it was started in? */
import { readFileSync } from "node:fs";

/** The bit of SIGHUP, the first signal. */
const HANGUP = 1n;

/**
 * Whether nobody has said that SIGHUP is to be ignored: who starts it with `nohup` means it to stay, and to listen to
 * the signal would undo that. Only Linux tells; elsewhere the signal is left alone.
 */
export function heedsHangup(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return ignored !== undefined && (BigInt(`0x${ignored}`) & HANGUP) === 0n;
  } catch {
    // There is no such file.
    return false;
  }
}
