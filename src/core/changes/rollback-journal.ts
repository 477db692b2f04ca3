/** The journal of a rollback in progress, from which the next start undoes it if the server ends meanwhile. */
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join, resolve, sep } from "node:path";
import { isDigest } from "../code/digest.js";
import { messageOf } from "../errors.js";
import { readWithMark, setAside, syncFolder, writeFileAtomic } from "../files.js";
import type { Logger } from "../log.js";
import type { Displaced } from "./displaced.js";

/** The content of a journal. */
export interface RollbackNotes {
  /** The real path of the service's folder. */
  dir: string;
  /** The digest of the code before the rollback; a copy of it is kept, as of `to`. */
  from: string;
  /** The digest of the code that is being restored. */
  to: string;
  /** What has been, or is about to be, displaced. */
  gaveWay: Displaced[];
}

/**
 * The journal of one folder, `<data>/.reef/rollbacks/<folder>.json`. It exists while the folder may hold a mix
 * of versions.
 */
export class RollbackJournal {
  readonly #folder: string;
  readonly path: string;

  constructor(dataDir: string, dirName: string) {
    this.#folder = journals(dataDir);
    this.path = join(this.#folder, dirName + ENDING);
  }

  /** Writes the journal; call it before the rollback starts. Returns the function that adds displaced paths. */
  begin(notes: Omit<RollbackNotes, "gaveWay">): (gaveWay: Displaced) => void {
    const gaveWay: Displaced[] = [];
    const write = () => writeFileAtomic(this.path, JSON.stringify({ ...notes, gaveWay }, null, 2));
    write();
    return (next) => {
      gaveWay.push(next);
      write();
    };
  }

  /** Reads the journal. Throws when it is damaged. */
  read(): RollbackNotes {
    const notes = parse(new TextDecoder().decode(readWithMark(this.path)?.bytes));
    if (areNotes(notes)) return notes;
    throw new TypeError("its journal is damaged");
  }

  /** Deletes the journal durably: the rollback is over. */
  end(): void {
    fs.rmSync(this.path);
    syncFolder(this.#folder);
  }

  /** Moves an unusable journal aside and returns its new path. */
  setAside(): string {
    return setAside(this.path);
  }
}

/** The folders whose rollback was interrupted. When they cannot be listed, the log says so. */
export function interruptedRollbacks(dataDir: string, log: Logger): string[] {
  const folder = journals(dataDir);
  if (!fs.existsSync(folder)) return [];
  const names = namesIn(folder, log);
  // A partial first journal means that nothing was changed yet; a partial later one sits beside its
  // predecessor.
  for (const name of names)
    if (name.endsWith(`${ENDING}.tmp`)) fs.rmSync(join(folder, name), { recursive: true, force: true });
  return names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
}

function namesIn(folder: string, log: Logger): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    const problem = `${folder} is not a readable folder (${messageOf(error)})`;
    log.error(`${problem}: interrupted rollbacks cannot be recovered; move it away`);
    return [];
  }
}

const ENDING = ".json";

function journals(dataDir: string): string {
  return join(dataDir, ".reef", "rollbacks");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Treated like any other invalid journal; the file itself is kept and named in the log.
    return undefined;
  }
}

function areNotes(value: unknown): value is RollbackNotes {
  const { dir, from, to, gaveWay } = Object(value) as Partial<Record<keyof RollbackNotes, unknown>>;
  if (typeof dir !== "string" || !Array.isArray(gaveWay)) return false;
  return [from, to].every(isDigest) && gaveWay.every((each) => isIn(dir, each));
}

/** Whether a value describes something displaced in this folder. */
function isIn(dir: string, value: unknown): boolean {
  const { path, files, aside, target } = Object(value) as Partial<Record<keyof Displaced, unknown>>;
  const isInside = (file: unknown) =>
    typeof file === "string" && resolve(file) === file && file.startsWith(dir + sep);
  const isThere = (aside === undefined) !== (target === undefined);
  const areRight = isInside(path) && Array.isArray(files) && files.every(isInside);
  return areRight && isThere && (target === undefined ? isInside(aside) : typeof target === "string");
}
