/** Letting the server go first where work beside it takes the processor. */
import { existsSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { messageOf } from "./errors.js";

/** On a scale from 0, like any other process, to 19. */
const NICENESS = 10;

/**
 * Lets this process, and what it starts, have the processor only when nobody who is waiting for an answer needs it.
 * For the processes of checks and tests to call themselves: when the server does it, the scheduler makes it wait for
 * the child, for some 3 ms on Linux.
 */
export function lowerOwnPriority(): void {
  lowerPriority(process.pid);
}

/** The same for a child that has just been started, which need not know of it; not for the server to call. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICENESS);
    // Linux on a desktop or a plain machine shares the processor between sessions first, and a detached child has a
    // session of its own: there the value of the process only counts among its own kind.
    const session = `/proc/${pid}/autogroup`;
    if (existsSync(session)) writeFileSync(session, String(NICENESS));
  } catch (error) {
    // The system does not allow it: then it runs like any other process.
    console.debug(`reef: process ${pid} keeps its priority: ${messageOf(error)}`);
  }
}
