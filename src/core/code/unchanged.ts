/** Is a folder's code still what was looked at before? */
import { join } from "node:path";
import type { Generation } from "../generation.js";
import { changedMeanwhile } from "../load-failure.js";
import type { Registry } from "../registry.js";
import { contentDigest, type Source, standsAsRead } from "./digest.js";

/** Whether a folder holds other code than `source` identifies. */
export function hasChanged(dir: string, source: Source): boolean {
  return !standsAsRead(dir, source) && contentDigest(dir) !== source.digest;
}

/**
 * Imports the code that `source` identifies, which has been tried. Rejects with `CHANGED` when the folder holds other
 * code by now, and when it came to hold other code while it was imported.
 */
export async function importUnchanged(
  registry: Registry,
  dirName: string,
  source: Source,
): Promise<Generation> {
  const dir = join(registry.servicesDir, dirName);
  // Before, since untried code could keep the server from ever getting to the second look.
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
