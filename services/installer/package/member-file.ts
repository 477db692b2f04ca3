/** Writes one file of a package that is being put together. */
import { open } from "node:fs/promises";

/**
 * Resolves when it is on disk. Of the mode that it had, only whether it can be run is kept, from the first moment on:
 * what runs with the rights of its owner would have those of the server.
 */
export async function writeMember(
  path: string,
  mode: number,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, "wx", mode & 0o100 ? 0o755 : 0o644);
  try {
    for await (const chunk of content) await file.writeFile(chunk);
    await file.datasync();
  } finally {
    await file.close();
  }
}
