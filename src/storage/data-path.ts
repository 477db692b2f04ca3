/** Paths of files in the data folder. */
import { isAbsolute, resolve } from "node:path";
import { dataDir } from "../core/config.js";
import { StorageError } from "../core/storage-error.js";

export { dataDir };

/**
 * The absolute path of a file in the data folder. Segments may contain `/`.
 *
 * @throws StorageError `STORAGE_PATH` for a segment that is empty or absolute, or
 *   contains `..`, a backslash or a NUL: such a path could leave the folder.
 * @example
 * dataPath("board.json"); // /srv/reef/data/board.json
 */
export function dataPath(...segments: string[]): string {
  for (const segment of segments) {
    if (
      segment === "" ||
      isAbsolute(segment) ||
      /[\\\0]/.test(segment) ||
      segment.split("/").includes("..")
    ) {
      throw new StorageError(
        "STORAGE_PATH",
        `${JSON.stringify(segment)} is not a path inside the data folder`,
      );
    }
  }
  return resolve(dataDir(), ...segments);
}
