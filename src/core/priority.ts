/** Lowers the scheduling priority of processes, so that the server comes first. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { messageOf } from "./errors.js";
import { systemErrorCode } from "./storage-error.js";

/** From 0, the default, to 19. */
const NICENESS = 10;

/** The longest time slice that Linux grants; the default is a few milliseconds. */
const LONG_SLICE_NS = 100_000_000n;

/**
 * Lowers the priority of this process and its future children. The processes of checks and tests call it
 * themselves: when the server does it for them, the Linux scheduler makes it wait for the child for about 3 ms.
 */
export function lowerOwnPriority(): void {
  lowerPriority(process.pid);
}

/** Lowers the priority of a child that has just been started. Not to be called by the server; see above. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICENESS);
    useLongSlices(pid);
    lowerSession(pid);
  } catch (error) {
    // Not permitted; the process then keeps its priority.
    console.debug(`reef: cannot lower the priority of process ${pid}: ${messageOf(error)}`);
  }
}

/** Linux accepts one such change per this time, in milliseconds, from users other than root. */
const SESSION_PAUSE_MS = 120;
const MAX_TRIES = 5;

/**
 * Lowers the priority of the process's session. With autogroups, Linux divides the processor between sessions
 * first, and a detached child has its own session: the process's nice value only counts within it.
 */
function lowerSession(pid: number, tries = 1): void {
  const session = `/proc/${pid}/autogroup`;
  if (!existsSync(session)) return;
  try {
    writeFileSync(session, String(NICENESS));
  } catch (error) {
    if (systemErrorCode(error) !== "EAGAIN" || tries === MAX_TRIES) throw error;
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

/** The number of the system call `sched_setattr` by architecture. */
const SCHED_SETATTR: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274 };

/**
 * Requests long time slices. A process that wakes up waits until the running one has used its slice, however
 * low its priority, unless the running one has longer slices (since Linux 6.12; no effect before).
 */
function useLongSlices(pid: number): void {
  const call = SCHED_SETATTR[process.arch];
  if (process.platform !== "linux" || call === undefined) return;
  const { symbols, close } = dlopen("libc.so.6", {
    syscall: { args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.i64], returns: FFIType.i64 },
  });
  // struct sched_attr: size, policy, flags, nice, priority, runtime …
  const attributes = new DataView(new ArrayBuffer(56));
  attributes.setUint32(0, attributes.byteLength, true);
  attributes.setInt32(16, NICENESS, true);
  attributes.setBigUint64(24, LONG_SLICE_NS, true);
  const address = ptr(attributes.buffer);
  for (const thread of readdirSync(`/proc/${pid}/task`)) symbols.syscall(call, Number(thread), address, 0);
  close();
}
