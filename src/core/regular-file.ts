/** Reading files that others name: what is at a path may be a pipe that nobody writes to, or a device without end. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** As large as a manifest may be, in bytes. */
export const MAX_MANIFEST = 1024 * 1024;

/** Throws if what is at a path is anything else; the words go on from its name. */
export function assertRegularFile(stat: { isFile(): boolean }): void {
  if (!stat.isFile()) throw Object.assign(new Error("is not a regular file"), { code: "EINVAL" });
}

/** Opens a regular file to be read, links followed. Anything else is refused at once. */
export function openRegularFile(path: string): number {
  // Opening a pipe waits for somebody who writes to it, unless told not to.
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
 * The text of a regular file of at most `most` bytes, links followed. Anything else throws, at once, with words that
 * go on from the file's name; what the system says, such as `ENOENT`, is thrown as it is.
 */
export function readRegularFile(path: string, most: number): string {
  const fd = openRegularFile(path);
  try {
    // Read rather than asked for: a file may grow, and some files of the system have more than they say.
    const bytes = Buffer.allocUnsafe(most + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, null);
    }
    if (length > most) throw new Error(`is larger than ${most} bytes`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}
