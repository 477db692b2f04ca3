/**
 * The scratch folder of a test run. Hand-written services open `data/…` relative to the working directory when
 * they are imported, before any harness exists, so the whole run gets a scratch folder as its working
 * directory.
 */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf } from "../errors.js";
import { testPreload } from "../preloads.js";
import { isAbandoned, isOurs, processOf } from "../temporary-folders.js";
import { TEST_FILE } from "../test-files.js";

const WORD = "reef-scratch";

let root: string | undefined;

/**
 * Makes a scratch folder the working directory: one per process, because modules shared by the test files keep
 * files open there. Outside of harnesses, each test file has its own data folder. It exists already, as a
 * server's does, and so does `data` in the working directory.
 *
 * @param file The test file's number in this process, from 1.
 */
export function enterScratch(file = 1): void {
  root ??= makeRoot();
  const work = join(root, "work");
  const data = file === 1 ? join(work, "data") : join(root, `data-${file}`);
  for (const folder of [join(work, "data"), data]) mkdirSync(folder, { recursive: true });
  process.chdir(work);
  process.env.REEF_DATA_DIR = data;
}

/**
 * Creates the data folder of a harness, inside the scratch folder if there is one, so that it is removed with
 * the run at the latest.
 */
export function makeDataDir(): string {
  return mkdtempSync(join(root ?? tmpdir(), "reef-test-"));
}

/** Removes the scratch folder. */
export function removeScratch(): void {
  if (root) rmSync(root, { recursive: true, force: true });
}

/**
 * Enters a scratch folder if this is an unprepared test run. Returns a message when that may be too late: there
 * is live data, and modules imported before may have opened it.
 */
export function enterScratchLate(): string | undefined {
  if (root || !TEST_FILE.test(Bun.main)) return undefined;
  const data = resolve("data");
  const safe = !existsSync(data) || processOf(basename(dirname(process.cwd())), WORD) !== undefined;
  enterScratch();
  if (safe) return undefined;
  return (
    `${data} may contain live data, and the services under test may already have opened it. ` +
    `Run the tests from ${resolve(import.meta.dir, "../../..")}, or with --preload ${testPreload}`
  );
}

function makeRoot(): string {
  removeAbandoned();
  return realpathSync(mkdtempSync(join(tmpdir(), `${WORD}-${process.pid}-`)));
}

/**
 * Removes scratch folders of earlier runs: those without the preload, which do not learn of their end, and
 * killed ones.
 */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!isAbandoned(name, WORD)) continue;
    const path = join(tmpdir(), name);
    try {
      // Another run may have removed it meanwhile.
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat && isOurs(stat)) rmSync(path, { recursive: true, force: true });
    } catch (error) {
      console.warn(`cannot remove ${path}, left by an earlier test run: ${messageOf(error)}`);
    }
  }
}
