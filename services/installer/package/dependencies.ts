/** Installs what a package needs into its own `node_modules`, without running any of it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { SHARED_PACKAGES } from "../../../src/core/generation/host-modules.js";
import { InstallError, printable } from "../errors.js";
import { LIMITS, type Limits } from "../limits.js";
import type { PackageFacts } from "../package.js";
import { cleanEnvironment, type RunResult, run } from "../process.js";
import { withPackageCache } from "../sources/package-cache.js";

export interface DependencyOptions {
  /** Where downloads are kept for the next time. */
  cacheDir: string;
  signal: AbortSignal;
  limits?: Limits;
}

/** Where an operator says which registry is used, beside the files in their home. */
const REGISTRY_SETTINGS = [
  "HOME",
  "BUN_CONFIG_REGISTRY",
  "BUN_CONFIG_TOKEN",
  "NPM_CONFIG_REGISTRY",
  "npm_config_registry",
  "NPM_CONFIG_USERCONFIG",
  "NODE_EXTRA_CA_CERTS",
];

/**
 * Installs into `<dir>/node_modules` and returns how many packages were asked for. Only names and versions are
 * taken from the package: its own settings for installing, its lifecycle scripts and those of what it needs
 * have no effect.
 *
 * @throws InstallError with status 502 when that fails.
 */
export async function installDependencies(
  dir: string,
  workspace: string,
  facts: PackageFacts,
  { cacheDir, signal, limits = LIMITS }: DependencyOptions,
): Promise<number> {
  const dependencies = await neededOf(facts.dependencies);
  const optionalDependencies = await neededOf(facts.optionalDependencies);
  const count = Object.keys(dependencies).length + Object.keys(optionalDependencies).length;
  if (count === 0) return 0;
  const scratch = join(workspace, "dependencies");
  mkdirSync(scratch, { recursive: true });
  const manifest = { name: "dependencies", private: true, dependencies, optionalDependencies };
  writeFileSync(join(scratch, "package.json"), JSON.stringify(manifest));
  const lock = join(dir, "bun.lock");
  if (existsSync(lock) && isPlainLock(readFileSync(lock, "utf8"))) {
    writeFileSync(join(scratch, "bun.lock"), readFileSync(lock));
  }
  const installed = join(scratch, "node_modules");
  await withPackageCache(cacheDir, async (spoil) => {
    try {
      const result = await install(scratch, cacheDir, signal);
      if (result.code !== 0 || (!existsSync(installed) && Object.keys(dependencies).length > 0))
        throw failed(result.stderr);
      if (existsSync(installed)) await assertContained(installed, limits);
    } catch (error) {
      if (signal.aborted || (error instanceof InstallError && error.status === 400)) spoil();
      throw error;
    }
  });
  if (!existsSync(installed)) return 0;
  renameSync(installed, join(dir, "node_modules"));
  return count;
}

function install(scratch: string, cacheDir: string, signal: AbortSignal): Promise<RunResult> {
  return run(
    [
      process.execPath,
      "install",
      "--ignore-scripts",
      "--production",
      "--omit=peer",
      "--linker=hoisted",
      "--backend=copyfile",
      "--no-progress",
      "--no-summary",
      `--cache-dir=${cacheDir}`,
    ],
    {
      cwd: scratch,
      env: cleanEnvironment({ BUN_INSTALL_CACHE_DIR: cacheDir, NO_COLOR: "1" }, REGISTRY_SETTINGS),
      signal,
      step: "dependencies",
    },
  );
}

function failed(stderr: string): InstallError {
  const lines = stderr.split("\n").filter((line) => /error/i.test(line));
  const why = printable(lines.slice(0, 3).join("; ") || stderr, 400);
  const message = `its dependencies cannot be installed: ${why} Check that the registry is reachable from this machine.`;
  return new InstallError(502, "dependencies", message);
}

/** Without those that every service gets from Reef itself, where Reef's version is one that will do. */
async function neededOf(versions: Record<string, string>): Promise<Record<string, string>> {
  const needed: Record<string, string> = {};
  for (const [name, range] of Object.entries(versions)) {
    const own = SHARED_PACKAGES.includes(name) ? await hostVersion(name) : undefined;
    if (own === undefined || !Bun.semver.satisfies(own, range)) needed[name] = range;
  }
  return needed;
}

async function hostVersion(name: string): Promise<string | undefined> {
  const path = join(import.meta.dir, "..", "..", "..", "node_modules", name, "package.json");
  if (!existsSync(path)) return undefined;
  return ((await Bun.file(path).json()) as { version: string }).version;
}

/** Whether a lock file names versions only, with their hashes, and no other place to fetch them from. */
function isPlainLock(text: string): boolean {
  let lock: unknown;
  try {
    lock = Bun.JSONC.parse(text);
  } catch {
    // Versions are then resolved anew.
    return false;
  }
  const packages = (lock as { packages?: unknown } | null)?.packages;
  if (typeof packages !== "object" || packages === null) return false;
  return Object.values(packages).every(
    (entry) =>
      Array.isArray(entry) &&
      /^(@[\w.~-]+\/)?[\w.~-]+@\d[\w.+-]*$/.test(String(entry[0])) &&
      entry[1] === "" &&
      /^sha512-/.test(String(entry[3])),
  );
}

/** Refuses installed packages that are too many, too large, or lead out of `node_modules` by a link. */
async function assertContained(root: string, limits: Limits): Promise<void> {
  const real = await realpath(root);
  let files = 0;
  let bytes = 0;
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isSymbolicLink()) {
        const leads = await realpath(path).catch(() => undefined);
        if (leads !== undefined && !leads.startsWith(real + sep)) {
          throw new InstallError(
            400,
            "dependencies",
            `a dependency contains a link out of node_modules: ${printable(entry.name)}`,
          );
        }
      } else bytes += (await lstat(path)).size;
      files++;
    }
    if (files > limits.dependencyFiles || bytes > limits.dependencyBytes) {
      throw new InstallError(400, "dependencies", "its dependencies are too many or too large.");
    }
  }
}
