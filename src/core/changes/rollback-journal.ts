/** Notes of a rollback that is under way, by which the next start takes it back if the server ends meanwhile. */
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join, resolve, sep } from "node:path";
import { messageOf } from "../errors.js";
import { readWithMark, setAside, syncFolder, writeFileAtomic } from "../files.js";
import type { Logger } from "../log.js";
import type { GaveWay } from "./gave-way.js";

export interface RollbackNotes {
  /** Where the service's folder really is. */
  dir: string;
  /** The digest of what it held. A copy is kept, as of `to`. */
  from: string;
  /** The digest of what it is to hold. */
  to: string;
  /** What has given way to kept files, or was about to. */
  gaveWay: GaveWay[];
}

/** One for each folder, in `<data>/.reef/rollbacks/<folder>.json`. It is there while the folder may hold a mix. */
export class RollbackJournal {
  readonly #folder: string;
  readonly path: string;

  constructor(dataDir: string, dirName: string) {
    this.#folder = journals(dataDir);
    this.path = join(this.#folder, dirName + ENDING);
  }

  /** Notes what is going to happen; call it before it does. Returns how to note what gives way to it. */
  begin(notes: Omit<RollbackNotes, "gaveWay">): (gaveWay: GaveWay) => void {
    const gaveWay: GaveWay[] = [];
    const write = () => writeFileAtomic(this.path, JSON.stringify({ ...notes, gaveWay }, null, 2));
    write();
    return (next) => {
      gaveWay.push(next);
      write();
    };
  }

  /** What was noted. Throws when it is damaged. */
  read(): RollbackNotes {
    const notes = parse(new TextDecoder().decode(readWithMark(this.path)?.bytes));
    if (areNotes(notes)) return notes;
    throw new TypeError("its journal is damaged");
  }

  /** The rollback is over, and stays so after a power cut. */
  end(): void {
    fs.rmSync(this.path);
    syncFolder(this.#folder);
  }

  /** Keeps what cannot be followed under a name of its own, and returns that. */
  setAside(): string {
    return setAside(this.path);
  }
}

/** The folders with a rollback that did not come to its end. Where that cannot be seen, the log says so. */
export function interruptedRollbacks(dataDir: string, log: Logger): string[] {
  const folder = journals(dataDir);
  if (!fs.existsSync(folder)) return [];
  const names = namesIn(folder, log);
  // Nothing was changed yet when the first notes were not whole; and later ones are in the place of others.
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
    // As damaged as any other text that is no notes; the file itself is kept and named.
    return undefined;
  }
}

const DIGEST = /^[0-9a-f]{64}$/;

function areNotes(value: unknown): value is RollbackNotes {
  const { dir, from, to, gaveWay } = Object(value) as Partial<Record<keyof RollbackNotes, unknown>>;
  if (typeof dir !== "string" || !Array.isArray(gaveWay)) return false;
  const areDigests = [from, to].every((digest) => typeof digest === "string" && DIGEST.test(digest));
  return areDigests && gaveWay.every((each) => isIn(dir, each));
}

/** Whether it is something that gave way in this folder. */
function isIn(dir: string, value: unknown): boolean {
  const { path, files, aside, target } = Object(value) as Partial<Record<keyof GaveWay, unknown>>;
  const isInside = (file: unknown) =>
    typeof file === "string" && resolve(file) === file && file.startsWith(dir + sep);
  const isThere = (aside === undefined) !== (target === undefined);
  const areRight = isInside(path) && Array.isArray(files) && files.every(isInside);
  return areRight && isThere && (target === undefined ? isInside(aside) : typeof target === "string");
}
