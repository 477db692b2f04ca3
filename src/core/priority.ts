/** Letting the server go first where work beside it takes the processor. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { messageOf } from "./errors.js";
import { systemErrorCode } from "./storage-error.js";

/** On a scale from 0, like any other process, to 19. */
const NICENESS = 10;

/** The longest turn that Linux gives, in nanoseconds; the usual one is some milliseconds. */
const LONG_TURN = 100_000_000n;

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
    takeLongTurns(pid);
    lowerSession(pid);
  } catch (error) {
    // The system does not allow it: then it runs more like any other process.
    console.debug(`reef: cannot lower the priority of process ${pid}: ${messageOf(error)}`);
  }
}

/** Linux takes one such change in this time, in milliseconds, from all who are not root. */
const SESSION_PAUSE_MS = 120;
const MOST_TRIES = 5;

/**
 * Linux on a desktop or a plain machine shares the processor between sessions first, and a detached child has a
 * session of its own: there the value of the process only counts among its own kind.
 */
function lowerSession(pid: number, tries = 1): void {
  const session = `/proc/${pid}/autogroup`;
  if (!existsSync(session)) return;
  try {
    writeFileSync(session, String(NICENESS));
  } catch (error) {
    if (systemErrorCode(error) !== "EAGAIN" || tries === MOST_TRIES) throw error;
    setTimeout(() => lowerSessionLater(pid, tries + 1), SESSION_PAUSE_MS).unref();
  }
}

function lowerSessionLater(pid: number, tries: number): void {
  try {
    lowerSession(pid, tries);
  } catch (error) {
    console.debug(`reef: cannot lower the priority of the session of process ${pid}: ${messageOf(error)}`);
  }
}

/** `sched_setattr` by architecture. */
const SCHED_SETATTR: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274 };

/**
 * Linux lets a process that wakes up wait until the one that runs has had its turn, however low its priority, unless
 * that has longer turns (since 6.12; before, this changes nothing).
 */
function takeLongTurns(pid: number): void {
  const call = SCHED_SETATTR[process.arch];
  if (process.platform !== "linux" || call === undefined) return;
  const { symbols, close } = dlopen("libc.so.6", {
    syscall: { args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.i64], returns: FFIType.i64 },
  });
  // struct sched_attr: size, policy, flags, nice, priority, runtime …
  const attributes = new DataView(new ArrayBuffer(56));
  attributes.setUint32(0, attributes.byteLength, true);
  attributes.setInt32(16, NICENESS, true);
  attributes.setBigUint64(24, LONG_TURN, true);
  const address = ptr(attributes.buffer);
  for (const thread of readdirSync(`/proc/${pid}/task`)) symbols.syscall(call, Number(thread), address, 0);
  close();
}
