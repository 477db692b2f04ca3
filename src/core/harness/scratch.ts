/**
 * Where a test run works. Services written by hand open `data/…` relative to the working directory while they are
 * imported, before any harness exists: so the whole run has a scratch folder as its working directory.
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
 * Makes a scratch folder the working directory: one for the process, as the modules that the test files share hold on
 * to what they opened there. The data folder outside of harnesses is another one for each test file. It is there, as
 * that of a server is, and so is `data` in the working directory.
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

/** A folder for one harness: in the scratch folder where there is one, so that it goes with the run at the latest. */
export function makeDataDir(): string {
  return mkdtempSync(join(root ?? tmpdir(), "reef-test-"));
}

/** Removes it with all that was written there. */
export function removeScratch(): void {
  if (root) rmSync(root, { recursive: true, force: true });
}

/**
 * Enters a scratch folder if this is a test run that nothing has prepared. Returns why that may be too late: there
 * is data, and whoever was imported before may have opened it.
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

/** A run without the preload is not told when it ends, and one that is killed cannot clear up. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!isAbandoned(name, WORD)) continue;
    const path = join(tmpdir(), name);
    try {
      // Another run may have removed it by now.
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat && isOurs(stat)) rmSync(path, { recursive: true, force: true });
    } catch (error) {
      console.warn(`cannot remove ${path}, left by an earlier test run: ${messageOf(error)}`);
    }
  }
}
