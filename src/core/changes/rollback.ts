/** Rolls a service back to code that served before. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Snapshot } from "../code/snapshot-list.js";
import { messageOf } from "../errors.js";
import { LoadFailure } from "../load-failure.js";
import { folderOf, nameIn } from "../registry/lookup.js";
import type { Registry } from "../registry.js";
import type { Loaded } from "../registry-types.js";
import { type Displaced, putBack } from "./displaced.js";
import { load } from "./load.js";
import { RollbackJournal } from "./rollback-journal.js";

/** The number of digest characters shown to people; more are shown where versions would be ambiguous. */
const SHORT_DIGEST = 12;

/**
 * Restores kept code into a service's folder and loads it. The folder's current code is kept first, so that the
 * next rollback can return to it. If the restored code cannot be loaded, the folder is put back as it was; so
 * it is at the next start if the server ends before the reply.
 */
export async function rollBack(
  registry: Registry,
  name: string,
  digest?: string,
  caller?: string,
): Promise<Loaded & { digest: string }> {
  const { snapshots } = registry;
  const dirName = folderOf(registry, name);
  // Code that has just started may not have been copied yet.
  await registry.copies.keep(nameIn(registry, dirName) ?? name);
  const target = choose(registry, dirName, digest);
  if (!snapshots || !target) {
    const which = digest === undefined ? "earlier" : "such";
    throw new LoadFailure("NO_SNAPSHOT", "find", `no ${which} version of "${name}" is kept.`);
  }
  if (!snapshots.isIntact(dirName, target.digest)) {
    const version = target.digest.slice(0, SHORT_DIGEST);
    throw new LoadFailure(
      "NO_SNAPSHOT",
      "find",
      `the kept copy of version ${version} of "${name}" is damaged.`,
    );
  }
  const path = join(registry.servicesDir, dirName);
  const dir = realpathSync(path);
  const failureBefore = registry.failures.get(path);
  const before = await snapshots.setAside(dirName, dir, target.digest);
  const journal = new RollbackJournal(registry.host.dataDir, dirName);
  const note = journal.begin({ dir, from: before, to: target.digest });
  let displaced: Displaced[] = [];
  let loaded: Loaded;
  try {
    displaced = snapshots.restore(dirName, dir, target.digest, note);
    loaded = await load(registry, dirName, { caller, digest: target.digest });
  } catch (error) {
    try {
      const room = putBack(displaced);
      snapshots.reportDisplaced(dirName, [...room, ...snapshots.restore(dirName, dir, before)]);
    } finally {
      // Also after a failure, which is reported: by the next start the folder may have been repaired in another
      // way.
      journal.end();
    }
    registry.failures.restore(path, failureBefore);
    throw error;
  }
  endNotes(registry, journal);
  snapshots.reportDisplaced(dirName, displaced);
  registry.announce(loaded.name, "rolled-back");
  const runs = registry.table.byFolder(dirName)?.current.source?.digest;
  return { ...loaded, digest: runs ?? target.digest };
}

/** Deletes the journal after a successful rollback. A failure to delete it is logged: the code already serves. */
function endNotes(registry: Registry, journal: RollbackJournal): void {
  try {
    journal.end();
  } catch (error) {
    const problem = `the journal of a successful rollback cannot be removed (${messageOf(error)})`;
    registry.log.error(
      `${problem}; remove it by hand, or the next start undoes the rollback: ${journal.path}`,
    );
  }
}

function choose(registry: Registry, dirName: string, digest: string | undefined): Snapshot | undefined {
  const kept = registry.snapshots?.list(dirName) ?? [];
  if (digest !== undefined) {
    const fitting = kept.filter((snapshot) => snapshot.digest.startsWith(digest));
    if (fitting.length > 1) throw ambiguous(dirName, digest, fitting);
    return fitting[0];
  }
  const running = registry.table.byFolder(dirName)?.current.source?.digest;
  const failed = registry.failures.get(join(registry.servicesDir, dirName)) !== undefined;
  const stillRunning = kept.find((snapshot) => snapshot.digest === running);
  if (failed && stillRunning) return stillRunning;
  return kept.find((snapshot) => snapshot.served && snapshot.digest !== running);
}

function ambiguous(dirName: string, given: string, fitting: readonly Snapshot[]): LoadFailure {
  const short = (length: number) => fitting.map(({ digest }) => digest.slice(0, length));
  let length = SHORT_DIGEST;
  while (new Set(short(length)).size < fitting.length) length++;
  const message = `several kept versions of "${dirName}" start with ${given}; use one of ${short(length).join(", ")}.`;
  return new LoadFailure("AMBIGUOUS", "find", message);
}
