/** Puts a folder into place, or takes it away, together with its entry in the lock file: both or neither. */
import { join } from "node:path";
import { messageOf } from "../../../src/core/errors.js";
import type { Logger } from "../../../src/core/log.js";
import type { FolderChange, ServiceRegistry } from "../../../src/core/registry-types.js";
import type { Folders } from "../folders.js";
import { asInstallError } from "../package/validate.js";
import { type Exchange, exchange, isThere } from "../place.js";
import type { Workspace } from "../workspace.js";
import { clearAway, type Leftovers, together } from "./leftovers.js";
import { type Installed, type InstalledVersion, type Lock, type Placing, placed } from "./lock.js";

export interface TransactionOptions {
  lock: Lock;
  registry: ServiceRegistry;
  servicesDir: string;
  folders: Folders;
  log: Logger;
  /** Takes up a plugin that is in its place; rejects when it cannot be used. */
  takeUp(dirName: string): Promise<void>;
}

type Entry = Installed & { current: InstalledVersion };

/**
 * Exchanges the folder of `entry` for `incoming` and loads it; the version before, if any, is kept for a
 * rollback, whose `incoming` is the workspace's `older`. On failure the folder, the service and the lock file are
 * as before. Returns what was found in the version before that one and is not the installer's.
 */
export async function putIntoPlace(
  entry: Installed,
  version: InstalledVersion,
  incoming: string,
  workspace: Workspace,
  options: TransactionOptions,
): Promise<Leftovers> {
  const { servicesDir, folders, log } = options;
  const { id, current, previous } = entry;
  const target = join(servicesDir, id);
  // Then nothing becomes the version before: the one that is kept stays it.
  const isGone = !isThere(target);
  const isKept = incoming === workspace.older;
  const outgoing = join(folders.previous, id);
  const change = exchange({
    target,
    incoming,
    outgoing,
    ...(!(isGone && previous && !isKept) && { kept: [outgoing, workspace.older] }),
    begun: workspace.begun,
    ours: current?.files ?? {},
  });
  const flags = { ...(isGone && { isGone }), ...(isKept && { isKept }) };
  const pending: Placing = { action: "place", version, ...flags };
  const after = placed(entry, pending);
  await commit({ entry, pending, after, change, workspace, step: "load" }, options);
  return clearAway(workspace.older, previous?.files ?? {}, id, folders, log);
}

/** Stops the service and takes its folder away; returns what was not the installer's. On failure all is as before. */
export async function takeAway(
  entry: Entry,
  workspace: Workspace,
  force: boolean,
  options: TransactionOptions,
): Promise<Leftovers> {
  const { servicesDir, folders, log, registry } = options;
  const { id, current, previous } = entry;
  const change = exchange({
    target: join(servicesDir, id),
    outgoing: workspace.outgoing,
    kept: [join(folders.previous, id), workspace.older],
    ours: current.files,
  });
  const pending = { action: "remove" } as const;
  await commit({ entry, pending, after: undefined, change, workspace, step: "remove", force }, options);
  // Later changes of this folder come after it. It may come after the end of the installer, which waits for this job.
  registry.forget(id).catch((error) => {
    log.error(`could not clear the disabled state of ${id}: ${messageOf(error)}`);
  });
  const left = await clearAway(workspace.outgoing, current.files, id, folders, log);
  return together(left, await clearAway(workspace.older, previous?.files ?? {}, id, folders, log));
}

interface Commit {
  /** As it is before, and is again on failure. */
  entry: Installed;
  pending: NonNullable<Installed["pending"]>;
  /** Undefined to remove the entry. */
  after: Installed | undefined;
  change: Exchange;
  workspace: Workspace;
  step: "load" | "remove";
  force?: boolean;
}

/** The entry says what is about to happen before it does, so that a crash in between can be mended. */
async function commit(
  { entry, pending, after, change, workspace, step, force }: Commit,
  options: TransactionOptions,
): Promise<void> {
  const { lock, registry, log } = options;
  const { id } = entry;
  const write = async (next: Installed | undefined) => {
    if (next?.current) await lock.put(next);
    else await lock.delete(id);
  };
  await lock.put({ ...entry, pending });
  try {
    await registry.changeFolder(id, change, { force });
  } catch (error) {
    workspace.isHalfWay = change.isMade();
    const noted = workspace.isHalfWay ? Promise.reject(error) : write(entry);
    await noted.catch((cause) =>
      log.error(`${id} stays incomplete until the next start: ${messageOf(cause)}`),
    );
    throw asInstallError(error, step);
  }
  try {
    if (pending.action === "place" && pending.version.kind === "plugin") await options.takeUp(id);
    await write(after);
  } catch (error) {
    const back: FolderChange = { apply: change.undo, undo: change.apply };
    await registry
      .changeFolder(id, back, { force: true })
      .then(() => write(entry))
      .catch((cause) => log.error(`${id} stays incomplete until the next start: ${messageOf(cause)}`));
    workspace.isHalfWay = change.isMade();
    throw error;
  }
}
