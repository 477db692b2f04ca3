/** Detects whether a folder's code has changed since it was read. */
import { join } from "node:path";
import type { Generation } from "../generation.js";
import { changedMeanwhile } from "../load-failure.js";
import type { Registry } from "../registry.js";
import { contentDigest, type Source, standsAsRead } from "./digest.js";

/** Whether a folder's code differs from `source`. */
export function hasChanged(dir: string, source: Source): boolean {
  return !standsAsRead(dir, source) && contentDigest(dir) !== source.digest;
}

/**
 * Imports a folder whose code has been tried as `source`. Rejects with `CHANGED` when the code differs before
 * or after the import.
 */
export async function importUnchanged(
  registry: Registry,
  dirName: string,
  source: Source,
): Promise<Generation> {
  const dir = join(registry.servicesDir, dirName);
  // Checked before as well: untried code could prevent the second check.
  if (hasChanged(dir, source)) throw changedMeanwhile(dirName);
  const generation = await registry.importFolder(dirName);
  try {
    if (hasChanged(dir, source)) throw changedMeanwhile(dirName);
    return generation;
  } catch (error) {
    await generation.dispose();
    throw error;
  }
}
