/** Puts the files of a package into a workspace, wherever they come from. */
import { mkdirSync, symlinkSync } from "node:fs";
import type { Progress } from "../jobs.js";
import { unpack } from "../package/archive.js";
import { asUnreadable } from "../package/validate.js";
import { parseSource } from "../sources.js";
import type { Workspace } from "../workspace.js";
import type { Allowed } from "./addresses.js";
import { fetchExport, parseFleetSource, withheldThere } from "./fleet.js";
import { fetchCommit, readCommit } from "./git.js";
import { copyFolder, localFolder } from "./local.js";
import type { Origin } from "./origin.js";

export interface AcquireOptions {
  allowed: Allowed;
  token?: string;
  signal: AbortSignal;
  /** Folders of Reef's own, which nothing is installed from. */
  own: readonly string[];
}

/** Resolves with what is known about the version: its commit, for git. */
export async function acquire(
  origin: Origin,
  workspace: Workspace,
  progress: Progress,
  options: AcquireOptions,
): Promise<{ commit?: string }> {
  switch (origin.type) {
    case "git":
      return fromGit(origin, workspace, progress, options);
    case "fleet":
      return fromFleet(origin, workspace, progress, options);
    case "local":
      return fromLocal(origin, workspace, progress, options);
  }
}

async function fromGit(
  { url, ref, subdirectory }: Extract<Origin, { type: "git" }>,
  workspace: Workspace,
  progress: Progress,
  { allowed, token, signal }: AcquireOptions,
): Promise<{ commit: string }> {
  const source = parseSource(url, { ref, subdirectory });
  if (source.type !== "git") throw new Error(`the stored copy of ${url} is not a git repository`);
  const fetched = await progress.step(
    "fetch",
    () => fetchCommit(source, workspace.path, { allowed, token, signal }),
    ({ commit }) => commit,
  );
  mkdirSync(workspace.incoming);
  await progress.step("unpack", () =>
    readCommit(fetched, subdirectory, workspace.path, signal, async (stdout) => {
      await unpack(stdout, workspace.incoming, { signal });
    }),
  );
  return { commit: fetched.commit };
}

async function fromFleet(
  { from, name }: Extract<Origin, { type: "fleet" }>,
  workspace: Workspace,
  progress: Progress,
  { allowed, token, signal }: AcquireOptions,
): Promise<Record<string, never>> {
  const source = parseFleetSource(from, name);
  const stream = await progress.step(
    "fetch",
    () => fetchExport(source, { allowed, token, signal }),
    withheldThere,
  );
  mkdirSync(workspace.incoming);
  await progress.step(
    "unpack",
    () => unpack(stream, workspace.incoming, { signal, gzip: true, oneFolder: true }),
    ({ entries, bytes }) => `${entries} entries, ${bytes} bytes`,
  );
  return {};
}

async function fromLocal(
  { path, linked }: Extract<Origin, { type: "local" }>,
  workspace: Workspace,
  progress: Progress,
  { signal, own }: AcquireOptions,
): Promise<Record<string, never>> {
  await progress.step("fetch", async () => {
    const real = await localFolder(path, own);
    if (linked) return symlinkSync(real, workspace.incoming);
    mkdirSync(workspace.incoming);
    await copyFolder(real, workspace.incoming, signal).catch((error) => {
      throw asUnreadable(error, "fetch");
    });
  });
  return {};
}
