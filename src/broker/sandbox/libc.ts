/** System calls through libc. */
import { dlopen, FFIType, ptr, read } from "bun:ffi";

const SYSCALL_ARGUMENTS = [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64];

/** A failed system call, with its name and `errno`. */
export class SyscallError extends Error {
  constructor(
    readonly call: string,
    readonly errno: number,
  ) {
    super(`${call} failed with errno ${errno}`);
    this.name = "SyscallError";
  }
}

/** The address of a buffer, or 0 if it is null or empty. The caller keeps the buffer alive. */
export function addressOf(buffer: Uint8Array | null): bigint {
  return buffer === null || buffer.byteLength === 0 ? 0n : BigInt(ptr(buffer));
}

/** A NUL-terminated UTF-8 string. Throws when the text itself holds a NUL. */
export function cString(text: string): Uint8Array {
  if (text.includes("\0")) throw new TypeError("a system string must not contain NUL");
  return new TextEncoder().encode(`${text}\0`);
}

function open() {
  for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      return dlopen(name, {
        syscall: { args: [FFIType.i64, ...SYSCALL_ARGUMENTS], returns: FFIType.i64 },
        __errno_location: { args: [], returns: FFIType.ptr },
      });
    } catch (cause) {
      lastFailure = cause;
    }
  }
  throw new Error("no C library found for system calls", { cause: lastFailure });
}

let lastFailure: unknown;
let library: ReturnType<typeof open> | undefined;

/**
 * Makes a system call by number.
 *
 * @throws SyscallError
 */
export function syscall(name: string, number: number, ...args: (bigint | number)[]): number {
  library ??= open();
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  const result = Number(
    library.symbols.syscall(BigInt(number), BigInt(a), BigInt(b), BigInt(c), BigInt(d), BigInt(e), BigInt(f)),
  );
  if (result === -1) throw new SyscallError(name, readErrno());
  return result;
}

function readErrno(): number {
  const address = library?.symbols.__errno_location();
  if (!address) return 0;
  return read.i32(address);
}
