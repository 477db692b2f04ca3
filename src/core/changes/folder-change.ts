/** Changes a service folder and the running service in one step. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { assertFolderName } from "../names.js";
import type { Registry } from "../registry.js";
import type { FolderChange, ReloadAction } from "../registry-types.js";
import { load } from "./load.js";
import { unload } from "./removal.js";

/**
 * Applies a change to a folder and updates the running service, or undoes the change; see
 * `ServiceRegistry.changeFolder`.
 */
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
  // A start does not wait for its copies; after the change, the copy is the only place that has the running
  // code.
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
    // Tells services that handle other kinds of folders, such as plugins.
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
