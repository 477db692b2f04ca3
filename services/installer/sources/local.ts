/** Takes a service from a folder on this machine: checks it, and copies it when it is not to be linked. */
// The default import keeps each call visible to a spy.
import fs, { createReadStream } from "node:fs";
import { mkdir, readlink, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { InstallError } from "../errors.js";
import { LIMITS, type Limits } from "../limits.js";
import { makeLinks } from "../package/links.js";
import { writeMember } from "../package/member-file.js";
import { Members } from "../package/members.js";

/**
 * The real path of a folder that may be installed from.
 *
 * @throws InstallError 404 when there is none, 400 when it holds, or lies in, one of Reef's own folders.
 */
export async function localFolder(path: string, own: readonly string[]): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || !(await stat(real)).isDirectory()) {
    throw new InstallError(404, "source", `there is no folder ${JSON.stringify(path)} on this machine.`);
  }
  for (const folder of own) {
    const taken = await realpath(folder).catch(() => folder);
    if (`${real}${sep}`.startsWith(`${taken}${sep}`) || `${taken}${sep}`.startsWith(`${real}${sep}`)) {
      throw new InstallError(
        400,
        "source",
        `${JSON.stringify(path)} is inside or contains Reef's own folder ${taken}.`,
      );
    }
  }
  return real;
}

/** Neither code nor meant to be copied. */
const LEFT_OUT = new Set(["node_modules", ".git"]);

/** Copies a folder's files below `root`, which must be empty; without `node_modules`, `.git` and a top-level `data`. */
export async function copyFolder(
  from: string,
  root: string,
  signal: AbortSignal,
  limits: Limits = LIMITS,
): Promise<void> {
  const members = new Members(limits);
  const visit = async (below: string): Promise<void> => {
    for (const entry of await fs.promises.readdir(join(from, below), { withFileTypes: true })) {
      signal.throwIfAborted();
      if (LEFT_OUT.has(entry.name) || (below === "" && entry.name === "data")) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        await mkdir(join(root, members.add(path, "folder")), { recursive: true });
        await visit(path);
      } else if (entry.isSymbolicLink()) {
        members.addLink(path, await readlink(join(from, path)));
      } else if (entry.isFile()) {
        members.add(path, "file");
        const { mode } = await stat(join(from, path));
        const content = members.counted(read(join(from, path), signal), path);
        await writeMember(join(root, path), mode, content);
      } else {
        const message = `the folder contains ${JSON.stringify(path)}: only files, folders and symbolic links are allowed.`;
        throw new InstallError(400, "unpack", message);
      }
    }
  };
  await visit("");
  makeLinks(root, members);
}

/** Opens the file when its content is asked for: one whose copy cannot be written would stay open. */
async function* read(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { signal });
}
