/** Moves folders in and out of the services folder, in steps that can be taken back. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdir, readdir, readlink, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../../src/core/files.js";
import type { FolderChange } from "../../src/core/registry-types.js";

/** Relative path → SHA-256 of its content, or `link:<target>`. */
export type FileList = Record<string, string>;

export interface ExchangeOptions {
  /** The folder's place in the services folder. */
  target: string;
  /** What moves there; undefined to leave the place empty. */
  incoming?: string;
  /** Where what was there moves to. */
  outgoing: string;
  /** The version that is kept, and where it moves to before, if it is there. */
  kept?: [from: string, to: string];
  /**
   * A file that is made after that and before all else: once the kept version and the present one are where the other
   * one was, nothing else tells that from how it began.
   */
  begun?: string;
  /** What of the present content the installer put there; everything else moves along to the new folder. */
  ours: FileList;
}

/** Exists, also as a link that leads nowhere. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Whether both are links, to different places. */
export function leadsToAnother(one: string, other: string): boolean {
  const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink(one) && isLink(other) && readlinkSync(one) !== readlinkSync(other);
}

type Move = (from: string, to: string) => void;

export interface Exchange extends FolderChange {
  /** Whether some of it is made, also where taking it back has failed. */
  isMade(): boolean;
}

/** An exchange of folders as a change that the registry makes between two others. */
export function exchange({ target, incoming, outgoing, kept, begun, ours }: ExchangeOptions): Exchange {
  const backwards: Array<() => void> = [];
  const move: Move = (from, to) => {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    backwards.push(() => renameSync(to, from));
  };
  const mark = (path: string) => {
    writeFileSync(path, "");
    syncFolder(dirname(path));
    backwards.push(() => rmSync(path, { force: true }));
  };
  const undo = () => {
    for (let step = backwards.at(-1); step; step = backwards.at(-1)) {
      step();
      backwards.pop();
    }
    syncFolder(dirname(target));
  };
  return {
    undo,
    isMade: () => backwards.length > 0,
    apply: () => {
      try {
        if (kept && isThere(kept[0])) move(...kept);
        if (begun !== undefined) mark(begun);
        const wasThere = isThere(target);
        if (wasThere) move(target, outgoing);
        if (incoming !== undefined) move(incoming, target);
        if (incoming !== undefined && wasThere) moveAlong(outgoing, target, ours, move);
        syncFolder(dirname(target));
      } catch (error) {
        undo();
        throw error;
      }
    },
  };
}

/** Moves what the installer did not make, as far as the new folder has nothing of that name. */
export function moveAlong(from: string, to: string, ours: FileList, move: Move = renameSync): void {
  for (const name of foreignNames(from, ours)) {
    if (!isThere(join(to, name))) move(join(from, name), join(to, name));
  }
}

/** Names in a folder, at its top, that the installer did not make: data, settings, notes. */
function foreignNames(folder: string, ours: FileList): string[] {
  if (!existsSync(folder) || lstatSync(folder).isSymbolicLink()) return [];
  const known = topNames(ours);
  return readdirSync(folder).filter((name) => name !== "node_modules" && !known.has(name));
}

function topNames(files: FileList): Set<string> {
  return new Set(Object.keys(files).map((path) => path.split("/", 1)[0] as string));
}

export interface ListOptions {
  /** Only these at the top. */
  names?: ReadonlySet<string>;
  signal?: AbortSignal;
}

/** Stands for pipes, sockets and devices: they are nobody's code, and opening one may take for ever. */
const NO_FILE = "no file";

/** The files of a folder with their hashes, except `node_modules`. */
export async function listFiles(root: string, { names, signal }: ListOptions = {}): Promise<FileList> {
  const files: FileList = {};
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
      signal?.throwIfAborted();
      if (below === "" && (entry.name === "node_modules" || names?.has(entry.name) === false)) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isSymbolicLink()) files[path] = `link:${await readlink(join(root, path))}`;
      else files[path] = entry.isFile() ? await hashOf(join(root, path)) : NO_FILE;
    }
  };
  await visit("");
  return files;
}

async function hashOf(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * Deletes from a folder what the installer put there; a link is removed, never what it leads to. Returns the
 * paths that are somebody else's or were changed since: those are moved to `keep`.
 */
export async function discard(folder: string, ours: FileList, keep: string): Promise<string[]> {
  if (!isThere(folder)) return [];
  if (lstatSync(folder).isSymbolicLink()) {
    await rm(folder);
    return [];
  }
  await rm(join(folder, "node_modules"), { recursive: true, force: true });
  const kept = foreignNames(folder, ours);
  for (const [path, hash] of Object.entries(await listFiles(folder, { names: topNames(ours) }))) {
    if (ours[path] === hash) await rm(join(folder, path));
    else kept.push(path);
  }
  for (const path of kept) {
    await mkdir(dirname(join(keep, path)), { recursive: true });
    await rename(join(folder, path), join(keep, path));
  }
  await rm(folder, { recursive: true, force: true });
  return kept.sort();
}

/** Files that were put there and have changed or are gone, and files that were added between them. */
export async function changedFiles(folder: string, ours: FileList, signal: AbortSignal): Promise<string[]> {
  return differences(await listFiles(folder, { names: topNames(ours), signal }), ours);
}

/** The files that are not the same in both, or in one of them only. */
export function differences(one: FileList, other: FileList): string[] {
  const all = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...all].filter((path) => one[path] !== other[path]).sort();
}
