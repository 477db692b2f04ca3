/** Plugin folders: checked by the broker's own reader, and taken up by the broker. */
import { join } from "node:path";
import { ManifestError, readManifest } from "../../../src/broker/index.js";
import type { ServiceContext } from "../../../src/core/types.js";
import type { BrokerStore } from "../../broker/service.js";
import { InstallError } from "../errors.js";
import type { Workspace } from "../workspace.js";

/**
 * Reads a staged plugin's manifest and returns the plugin's identifier.
 *
 * @throws InstallError with status 400, which names the field at fault.
 */
export function validatePlugin(workspace: Workspace): string {
  try {
    return readManifest(workspace.incoming, () => join(workspace.path, "support")).id;
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new InstallError(
      400,
      "validate",
      `package.json: ${error.field} ${error.problem}`,
      {},
      { cause: error },
    );
  }
}

/** Has the broker take up a folder. Where no broker runs, the folder waits for one. */
export async function takeUpPlugin({ getStore, log }: ServiceContext, dirName: string): Promise<void> {
  const broker = getStore<BrokerStore>("broker");
  if (!broker) {
    log.warn(`${dirName} is a plugin, but the broker that runs plugins is not loaded`);
    return;
  }
  const { errors } = await broker.sync();
  const failure = errors.find(({ dir }) => dir === dirName);
  if (failure) throw new InstallError(400, "load", failure.error);
}
