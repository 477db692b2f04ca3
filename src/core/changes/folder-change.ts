/** A change of a service folder and of what runs from it, as one step. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { assertFolderName } from "../names.js";
import type { Registry } from "../registry.js";
import type { FolderChange, ReloadAction } from "../registry-types.js";
import { load } from "./load.js";
import { unload } from "./removal.js";

/** Makes the change and brings the service in line, or takes the change back; see `ServiceRegistry.changeFolder`. */
export async function changeFolder(
  registry: Registry,
  dirName: string,
  change: FolderChange,
  force: boolean,
  caller?: string,
): Promise<{ name: string; action: ReloadAction }> {
  assertFolderName(dirName);
  const dir = join(registry.servicesDir, dirName);
  const running = registry.table.byFolder(dirName);
  // A start does not wait for its copies, and after the change what runs now is in the copy alone.
  if (running) await registry.copies.keep(running.name);
  const before = registry.failures.get(dir);
  const existed = existsSync(dir);
  change.apply();
  try {
    if (existsSync(join(dir, "index.ts"))) return await load(registry, dirName, { caller });
    const service = registry.table.byFolder(dirName);
    if (service) await unload(registry, service.name, { force }, caller);
    registry.failures.clear(dir);
    const action = !existsSync(dir) ? "removed" : existed ? "updated" : "added";
    // Whoever serves other kinds of folders learns of it here.
    if (!service) registry.announce(dirName, action);
    return { name: service?.name ?? dirName, action };
  } catch (error) {
    try {
      change.undo();
    } catch (problem) {
      registry.log.error(
        `${dirName} could not be changed (${messageOf(error)}), and its files could not be restored`,
      );
      throw problem;
    } finally {
      registry.failures.restore(dir, before);
    }
    throw error;
  }
}
