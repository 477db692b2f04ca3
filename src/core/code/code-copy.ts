/** Copies a folder's code. */
// The default import keeps each call visible to a spy.
import fs, { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../files.js";
import { toStorageError } from "../storage-error.js";
import { assertSize, codeFiles, findCode } from "./code-files.js";
import { contentDigest } from "./digest.js";

/**
 * Copies a folder's code. Resolves with false when it no longer matches `digest`. Rejects with a
 * `StorageError`.
 */
export async function copyCode(dir: string, path: string, digest: string): Promise<boolean> {
  const unfinished = `${path}.unfinished`;
  const discard = () => fs.promises.rm(unfinished, { recursive: true, force: true });
  await discard();
  try {
    await fs.promises.mkdir(unfinished, { recursive: true });
    const files = codeFiles(dir);
    // Checked up front: the digest of the copy would reveal it only after the disk has been filled.
    assertSize(files.map((file) => ({ file, size: sizeOf(join(dir, file)) })));
    for (const file of files) {
      const target = join(unfinished, file);
      if (file.includes("/")) await fs.promises.mkdir(dirname(target), { recursive: true });
      if (existsSync(join(dir, file))) await fs.promises.copyFile(join(dir, file), target);
    }
    const isSame = contentDigest(unfinished) === digest;
    if (isSame) await fs.promises.rename(unfinished, path);
    else await discard();
    return isSame;
  } catch (error) {
    // The partial copy may occupy the last free blocks.
    await discard();
    throw toStorageError(error, path);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Syncs a copy to disk. Rejects with a `StorageError`. */
export async function syncCode(path: string): Promise<void> {
  if (process.platform === "win32") return; // only what is open for writing can be synced there
  try {
    const { files, folders } = findCode(path);
    for (const file of files) {
      const handle = await fs.promises.open(join(path, file));
      await handle.sync().finally(() => handle.close());
    }
    for (const folder of folders) syncFolder(folder);
    syncFolder(dirname(path));
  } catch (error) {
    throw toStorageError(error, path);
  }
}
