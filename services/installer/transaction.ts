/** Puts a folder into place, or takes it away, together with its entry in the lock file: both or neither. */
import { join } from "node:path";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";
import type { FolderChange, ServiceRegistry } from "../../src/core/registry-types.js";
import { type Folders, keptFolder } from "./folders.js";
import type { Installed, InstalledVersion, Lock } from "./lock.js";
import { discard, exchange } from "./place.js";
import { asInstallError } from "./validate.js";
import type { Workspace } from "./workspace.js";

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
 * rollback. On failure the folder, the service and the lock file are as before. Returns where files are that
 * were found in the version before that one and are not the installer's.
 */
export async function putIntoPlace(
  entry: Installed,
  version: InstalledVersion,
  incoming: string,
  workspace: Workspace,
  options: TransactionOptions,
): Promise<string[]> {
  const { servicesDir, folders } = options;
  const { id, current, previous } = entry;
  const change = exchange({
    target: join(servicesDir, id),
    incoming,
    outgoing: join(folders.previous, id),
    older: workspace.older,
    ours: current?.files ?? {},
  });
  const during: Installed = { ...entry, pending: { action: "place", version } };
  const after: Installed = { ...entry, current: version, ...(current && { previous: current }) };
  await commit({ before: entry, during, after, change, step: "load" }, options);
  return previous ? discardOrLog(workspace.older, previous, keptFolder(folders, id), options.log) : [];
}

/** Stops the service and takes its folder away; returns what was not the installer's. On failure all is as before. */
export async function takeAway(
  entry: Entry,
  workspace: Workspace,
  force: boolean,
  options: TransactionOptions,
): Promise<string[]> {
  const { servicesDir, folders, log, registry } = options;
  const { id, current, previous } = entry;
  const change = exchange({
    target: join(servicesDir, id),
    outgoing: workspace.outgoing,
    ours: current.files,
  });
  const during: Installed = { ...entry, pending: { action: "remove" } };
  await commit({ before: entry, during, after: undefined, change, step: "remove", force }, options);
  try {
    registry.forget(id);
  } catch (error) {
    log.error(`that ${id} was switched off is still remembered: ${messageOf(error)}`);
  }
  const keep = keptFolder(folders, id);
  const kept = await discardOrLog(workspace.outgoing, current, keep, log);
  if (previous) kept.push(...(await discardOrLog(join(folders.previous, id), previous, keep, log)));
  return kept;
}

interface Commit {
  before: Installed;
  during: Installed;
  /** Undefined to remove the entry. */
  after: Installed | undefined;
  change: FolderChange;
  step: "load" | "remove";
  force?: boolean;
}

/** The entry says what is about to happen before it does, so that a crash in between can be mended. */
async function commit(
  { before, during, after, change, step, force }: Commit,
  options: TransactionOptions,
): Promise<void> {
  const { lock, registry, log } = options;
  const { id } = before;
  const write = async (entry: Installed | undefined) => {
    if (entry?.current) await lock.put(entry);
    else await lock.delete(id);
  };
  await lock.put(during);
  try {
    await registry.changeFolder(id, change, { force });
  } catch (error) {
    await write(before).catch((cause) => log.error(`the entry of ${id} stays half-way: ${messageOf(cause)}`));
    throw asInstallError(error, step);
  }
  try {
    if (during.pending?.action === "place" && during.pending.version.kind === "plugin") {
      await options.takeUp(id);
    }
    await write(after);
  } catch (error) {
    const back: FolderChange = { apply: change.undo, undo: change.apply };
    await registry
      .changeFolder(id, back, { force: true })
      .then(() => write(before))
      .catch((cause) => log.error(`${id} stays half-way until the next start: ${messageOf(cause)}`));
    throw error;
  }
}

/** What is done is done: files that cannot be deleted are reported, they do not undo it. */
async function discardOrLog(
  folder: string,
  version: InstalledVersion,
  keep: string,
  log: Logger,
): Promise<string[]> {
  try {
    const kept = await discard(folder, version.files, keep);
    return kept.map((path) => join(keep, path));
  } catch (error) {
    log.error(`${folder} could not be cleared away: ${messageOf(error)}`);
    return [];
  }
}
