/** Reads the lines of a file in blocks, forward or backward. */
import fs from "node:fs";
import { yieldToEventLoop } from "../core/event-loop.js";
import { openRegularFile } from "../core/regular-file.js";
import { StorageError, systemErrorCode, toStorageError } from "../core/storage-error.js";

const NEWLINE = 10;
const BLOCK = 64 * 1024;

/** A complete line: its bytes without the newline, and the offset of its first byte. */
export interface RawLine {
  start: number;
  bytes: Uint8Array;
}

/** The byte range to read. `inode` detects that the file was replaced meanwhile. */
export interface LineRange {
  path: string;
  inode: number;
  from: number;
  to: number;
}

/**
 * The range that a read starting now may see: from `since` to the current end of the file. `undefined` when
 * there is no file and `since` is 0.
 *
 * @throws StorageError `STORAGE_SHAPE` when `since` is not the end of a line.
 */
export function lineRange(path: string, since: number): LineRange | undefined {
  try {
    const fd = openRegularFile(path);
    try {
      const { size, ino } = fs.fstatSync(fd);
      if (isLineStart(fd, since)) return { path, inode: ino, from: since, to: size };
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw toStorageError(error, path);
    if (since === 0) return undefined;
  }
  throw new StorageError("STORAGE_SHAPE", `${since} is not the end of a line of ${path}`, { path });
}

function isLineStart(fd: number, position: number): boolean {
  if (position === 0) return true;
  if (!Number.isSafeInteger(position) || position < 0) return false;
  const before = new Uint8Array(1);
  return fillFrom(fd, before, position - 1) === 1 && before[0] === NEWLINE;
}

/**
 * Reads one block. The file is open only during this call, so an abandoned iterator or a disposed module graph
 * leaves nothing open.
 */
function readBlock(range: LineRange, from: number, to: number): Uint8Array {
  const block = new Uint8Array(to - from);
  let filled = 0;
  try {
    const fd = openRegularFile(range.path);
    try {
      if (fs.fstatSync(fd).ino === range.inode) filled = fillFrom(fd, block, from);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw toStorageError(error, range.path);
  }
  if (filled === block.length) return block;
  const message = `${range.path} was replaced or cut while it was being read`;
  throw new StorageError("STORAGE_IO", message, { path: range.path });
}

/** Reads until the buffer is full or the file ends. Returns the number of bytes read. */
export function fillFrom(fd: number, buffer: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = fs.readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Yields the complete lines of a range in file order, holding one block and one line in memory. */
export async function* linesForward(range: LineRange): AsyncGenerator<RawLine> {
  let start = range.from;
  let pending: Uint8Array[] = [];
  for (let at = range.from; at < range.to; at += BLOCK) {
    if (at > range.from) await yieldToEventLoop();
    const block = readBlock(range, at, Math.min(at + BLOCK, range.to));
    let begin = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, begin)) {
      const bytes = joined([...pending, block.subarray(begin, end)]);
      yield { start, bytes };
      pending = [];
      start += bytes.length + 1;
      begin = end + 1;
    }
    pending.push(block.subarray(begin));
  }
}

/** Yields the complete lines of a range in reverse order, holding one block and one line in memory. */
export async function* linesBackward(range: LineRange): AsyncGenerator<RawLine> {
  let pending: Uint8Array[] = [];
  let terminated = false;
  for (let upTo = range.to; upTo > range.from; upTo -= BLOCK) {
    if (upTo < range.to) await yieldToEventLoop();
    const at = Math.max(upTo - BLOCK, range.from);
    const block = readBlock(range, at, upTo);
    let end = block.length;
    for (let newline = block.lastIndexOf(NEWLINE); newline >= 0; ) {
      const bytes = joined([block.subarray(newline + 1, end), ...pending]);
      if (terminated) yield { start: at + newline + 1, bytes };
      terminated = true;
      pending = [];
      end = newline;
      newline = newline === 0 ? -1 : block.lastIndexOf(NEWLINE, newline - 1);
    }
    pending.unshift(block.subarray(0, end));
  }
  if (terminated) yield { start: range.from, bytes: joined(pending) };
}

function joined(parts: Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

/** The offset after the last newline of a file of `size` bytes, or 0 when there is none. */
export function endOfLastLine(fd: number, size: number): number {
  for (let upTo = size; upTo > 0; upTo -= BLOCK) {
    const at = Math.max(upTo - BLOCK, 0);
    const block = new Uint8Array(upTo - at);
    fillFrom(fd, block, at);
    const newline = block.lastIndexOf(NEWLINE);
    if (newline >= 0) return at + newline + 1;
  }
  return 0;
}
