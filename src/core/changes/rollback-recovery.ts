/** Undoes rollbacks that the end of the server interrupted, since their folders may hold a mix of two versions. */
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join } from "node:path";
import { codeFiles } from "../code/code-files.js";
import { contentDigest } from "../code/digest.js";
import type { Snapshots } from "../code/snapshots.js";
import { messageOf } from "../errors.js";
import type { Logger } from "../log.js";
import { isInPlace, putBack } from "./displaced.js";
import { isSame, linkOn } from "./restore.js";
import { RollbackJournal, type RollbackNotes } from "./rollback-journal.js";

/** What recovery needs. */
export interface RecoveryOptions {
  servicesDir: string;
  dataDir: string;
  snapshots: Snapshots;
  log: Logger;
}

/**
 * Restores the previous code of these folders. Call it before they are read. Never throws: failures are logged
 * and not retried, since by the next start the folder may have been repaired in another way.
 */
export function recoverRollbacks(dirNames: readonly string[], options: RecoveryOptions): void {
  const { dataDir, log } = options;
  for (const dirName of dirNames) {
    const journal = new RollbackJournal(dataDir, dirName);
    const what = `a rollback of ${dirName} was interrupted when the server stopped`;
    try {
      const notes = journal.read();
      takeBack(dirName, notes, options);
      journal.end();
      log.warn(`${what}: the folder was restored to its previous version (${notes.from.slice(0, 12)})`);
    } catch (error) {
      const rest = "the folder may contain a mix of two versions: deploy it or roll it back";
      log.error(`${what} and cannot be undone (${messageOf(error)}): ${rest}; ${setAside(journal)}`);
    }
  }
}

function setAside(journal: RollbackJournal): string {
  try {
    return `its journal was moved to ${journal.setAside()}`;
  } catch (error) {
    return messageOf(error);
  }
}

function takeBack(dirName: string, notes: RollbackNotes, { servicesDir, snapshots }: RecoveryOptions): void {
  const { dir, from, to, gaveWay } = notes;
  const path = join(servicesDir, dirName);
  if (!fs.existsSync(path) || fs.realpathSync(path) !== dir) {
    throw new Error(`${dir} is no longer its folder`);
  }
  const [before, after] = [snapshots.find(dirName, from), snapshots.find(dirName, to)];
  if (before === undefined || after === undefined || contentDigest(before) !== from) {
    throw new Error("the copy of the folder's files is missing or damaged");
  }
  const other = findOther(dir, [before, after]);
  if (other !== undefined) throw new Error(`${other} has changed since`);
  // Temporary files elsewhere count as code and are removed by the restore.
  for (const { files } of gaveWay.filter((each) => !isInPlace(each))) {
    for (const file of files) fs.rmSync(temporaryOf(file), { force: true });
  }
  const room = putBack(gaveWay);
  snapshots.reportDisplaced(dirName, [...room, ...snapshots.restore(dirName, dir, from)]);
}

/**
 * The first code file that belongs to neither version and was not being written. Files behind links are
 * ignored.
 */
function findOther(dir: string, versions: readonly string[]): string | undefined {
  const unfinished = new Set(versions.flatMap(codeFiles).map(temporaryOf));
  return codeFiles(dir).find((file) => {
    if (unfinished.has(file) || linkOn(dir, file) !== undefined) return false;
    return !versions.some((kept) => isSame(join(dir, file), join(kept, file)));
  });
}

/** The temporary name that `writeFileAtomic` uses. */
function temporaryOf(file: string): string {
  return `${file}.tmp`;
}
