/** Repairs the end of a JSONL file after a crash. */
import fs from "node:fs";
import { dirname } from "node:path";
import { asideName, discard, syncFolder, writeAll } from "../core/files.js";
import { endOfLastLine, fillFrom } from "./jsonl-lines.js";
import type { StorageReport } from "./report.js";

const NEWLINE = 10;
const COPY_BLOCK = 1024 * 1024;
const MAX_TAIL_BYTES = 16 * 1024 * 1024;

/**
 * Makes the file end with a complete line. Whatever follows the last newline was never acknowledged: it is
 * moved to a file of its own, unless it is a complete entry that only lacks its newline. Returns a report when
 * something was moved.
 *
 * @param fd The file, open for reading and appending.
 */
export function repairTail(fd: number, path: string): StorageReport | undefined {
  const { size } = fs.fstatSync(fd);
  if (size === 0 || endsWithNewline(fd, size)) return undefined;
  const position = endOfLastLine(fd, size);
  if (isWholeEntry(fd, position, size)) {
    writeAll(fd, new Uint8Array([NEWLINE]));
    fs.fdatasyncSync(fd);
    return undefined;
  }
  const setAside = asideName(path, "torn");
  try {
    copyRange(fd, position, size, setAside);
  } catch (error) {
    discard(setAside);
    throw error;
  }
  fs.ftruncateSync(fd, position);
  fs.fsyncSync(fd);
  const message = `the last line of ${path} was incomplete: its ${size - position} bytes were moved to ${setAside}`;
  return { kind: "torn-line", path, message, setAside, position };
}

function endsWithNewline(fd: number, size: number): boolean {
  const last = new Uint8Array(1);
  fillFrom(fd, last, size - 1);
  return last[0] === NEWLINE;
}

/**
 * Whether the tail is a complete entry. Only objects, arrays and strings qualify: a truncated number or literal
 * can still be valid JSON.
 */
function isWholeEntry(fd: number, from: number, to: number): boolean {
  if (to - from > MAX_TAIL_BYTES) return false;
  const bytes = new Uint8Array(to - from);
  fillFrom(fd, bytes, from);
  if (!'{["'.includes(String.fromCharCode(bytes[0] ?? 0))) return false;
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

function copyRange(from: number, start: number, end: number, target: string): void {
  const to = fs.openSync(target, "wx", 0o600);
  try {
    for (let at = start; at < end; at += COPY_BLOCK) {
      const block = new Uint8Array(Math.min(COPY_BLOCK, end - at));
      fillFrom(from, block, at);
      writeAll(to, block);
    }
    fs.fsyncSync(to);
  } finally {
    fs.closeSync(to);
  }
  syncFolder(dirname(target));
}
