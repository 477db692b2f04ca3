/** Finds service folders and imports their modules. */
import { type Dirent, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { orderByDependencies } from "./boot/order.js";
import { messageOf } from "./errors.js";
import { checkModule } from "./generation/module-check.js";
import { asLoadFailure, LoadFailure } from "./load-failure.js";
import { assertFolderName } from "./names.js";
import { MAX_MANIFEST, readRegularFile } from "./regular-file.js";
import type { ServiceModule } from "./types.js";

/** A folder that may hold a service. */
export interface ServiceFolder {
  dirName: string;
  dir: string;
}

/** The result of scanning the services folder. */
export interface Scan {
  candidates: ServiceFolder[];
  failures: Array<{ dirName: string; dir: string; failure: LoadFailure }>;
}

/**
 * Lists the service folders in `servicesDir`, links to folders included, sorted by name. Imports nothing. A
 * missing `servicesDir` counts as empty.
 */
export function scanServices(servicesDir: string): Scan {
  return existsSync(servicesDir) ? rescanServices(servicesDir) : { candidates: [], failures: [] };
}

/**
 * The entries that may be service or plugin folders, sorted by name.
 *
 * @throws LoadFailure `UNREADABLE` when the services folder is missing, not a folder, or unreadable.
 */
export function entriesOf(servicesDir: string): Dirent[] {
  try {
    return readdirSync(servicesDir, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const message = `the services folder ${servicesDir} cannot be read: ${messageOf(error)}`;
    throw new LoadFailure("UNREADABLE", "find", message, { cause: error });
  }
}

/**
 * Like `scanServices`, for a running server: a services folder that cannot be read does not count as empty.
 *
 * @throws LoadFailure; see `entriesOf`.
 */
export function rescanServices(servicesDir: string): Scan {
  const scan: Scan = { candidates: [], failures: [] };
  for (const entry of entriesOf(servicesDir)) {
    const dirName = entry.name;
    const dir = join(servicesDir, dirName);
    try {
      // Links need a stat of their target.
      const found = entry.isDirectory() ? entry : statSync(dir, { throwIfNoEntry: false });
      if (!found) throw new LoadFailure("UNREADABLE", "find", "the link is broken.");
      if (!found.isDirectory()) continue;
      assertFolderName(dirName);
      if (isThere(`${dir}/index.ts`)) scan.candidates.push({ dirName, dir });
      else if (!isPluginFolder(dir)) throw new LoadFailure("NO_ENTRY", "find", "the folder has no index.ts.");
    } catch (error) {
      scan.failures.push({ dirName, dir, failure: asLoadFailure(error) });
    }
  }
  return scan;
}

/**
 * Whether a path exists.
 *
 * @throws LoadFailure when that cannot be determined, for instance in a folder without access.
 */
function isThere(path: string): boolean {
  if (existsSync(path)) return true;
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw asLoadFailure(error);
  }
}

/** Whether a folder is a service plugin: its `package.json` declares callable methods, and it has no `index.ts`. */
export function isPluginFolder(dir: string): boolean {
  const path = join(dir, "package.json");
  if (isThere(join(dir, "index.ts")) || !isThere(path)) return false;
  try {
    const manifest = JSON.parse(readRegularFile(path, MAX_MANIFEST)) as Record<string, unknown> | null;
    return ["reef", "kunkun"].some((key) => typeof manifest?.[key] === "object" && manifest[key] !== null);
  } catch {
    // Not JSON, or not a file: reading the manifest reports that. A folder with only a package.json is meant as
    // a plugin.
    return true;
  }
}

/** Imports `<dirPath>/index.ts` and returns its ServiceModule. Rejects with a `LoadFailure`. */
export async function loadServiceModule(dirPath: string): Promise<ServiceModule> {
  const entry = join(dirPath, "index.ts");
  if (!isThere(entry)) throw new LoadFailure("NO_ENTRY", "find", "the folder has no index.ts.");
  let exported: { default?: unknown };
  try {
    exported = await import(Bun.pathToFileURL(entry).href);
  } catch (error) {
    throw new LoadFailure("IMPORT_FAILED", "import", `importing index.ts failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return checkModule(exported.default);
}

/**
 * Imports the services of a folder into this process, dependencies first. Unusable folders are skipped with one
 * warning each. `includeNames` limits the result to these services and their dependencies.
 *
 * @example
 * const modules = await discoverServiceModules("services", { includeNames: ["board"] });
 */
export async function discoverServiceModules(
  servicesDir: string,
  options: { includeNames?: readonly string[]; warn?: (line: string) => void } = {},
): Promise<ServiceModule[]> {
  const warn = options.warn ?? ((line: string) => console.warn(line));
  const { candidates, failures } = scanServices(servicesDir);
  for (const { dirName, failure } of failures) warn(`${dirName}: skipped: ${failure.message}`);
  const modules = new Map<string, ServiceModule>();
  for (const { dirName, dir } of candidates) {
    try {
      const module = await loadServiceModule(dir);
      if (modules.has(module.name))
        throw new Error(`the name "${module.name}" is already used by another folder.`);
      modules.set(module.name, module);
    } catch (error) {
      warn(`${dirName}: skipped: ${messageOf(error)}`);
    }
  }
  const nodes = [...modules.values()].map((module) => ({
    name: module.name,
    dependencies: module.dependencies ?? [],
    module,
  }));
  const { ordered, missing, cyclic } = orderByDependencies(nodes, new Set());
  for (const { node, needs } of missing)
    warn(`${node.name}: skipped: it depends on ${needs.join(", ")}, which is not loaded.`);
  for (const { node, cycle } of cyclic) warn(`${node.name}: skipped: dependency cycle ${cycle.join(" → ")}.`);
  if (!options.includeNames) return ordered.map((node) => node.module);
  const wanted = new Set(options.includeNames);
  for (const node of [...ordered].reverse()) {
    if (wanted.has(node.name)) for (const name of node.dependencies) wanted.add(name);
  }
  return ordered.filter((node) => wanted.has(node.name)).map((node) => node.module);
}

/** Filters modules with a client half: tools, behaviours or a widget. */
export function filterClientModules(modules: readonly ServiceModule[]): ServiceModule[] {
  return modules.filter((module) => module.registerTools || module.registerBehaviors || module.widget);
}
