/** Opens files named by others safely: a path may be a pipe without a writer, or an endless device. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** The maximum size of a manifest, in bytes. */
export const MAX_MANIFEST = 1024 * 1024;

/** Throws unless a path is a regular file; the message is meant to follow the path. */
export function assertRegularFile(stat: { isFile(): boolean }): void {
  if (!stat.isFile()) throw Object.assign(new Error("is not a regular file"), { code: "EINVAL" });
}

/** Opens a regular file for reading, following links. Rejects anything else at once, without blocking. */
export function openRegularFile(path: string): number {
  // Without O_NONBLOCK, opening a pipe waits for a writer.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    assertRegularFile(fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Reads a regular file of at most `maxBytes` bytes as text, following links. Anything else throws at once, with
 * a message meant to follow the file's name; errors of the system, such as `ENOENT`, are thrown unchanged.
 *
 * @example
 * const manifest = JSON.parse(readRegularFile("package.json", MAX_MANIFEST));
 */
export function readRegularFile(path: string, maxBytes: number): string {
  const fd = openRegularFile(path);
  try {
    // Read until the limit rather than trusting the size: files may grow, and some system files report a
    // smaller size.
    const bytes = Buffer.allocUnsafe(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}
