/** The cache of fetched packages, which installations share. */
import { rm } from "node:fs/promises";
import { messageOf } from "../../../src/core/errors.js";

interface Use {
  users: number;
  isSpoilt: boolean;
  /** Set while it is being emptied, when nobody may begin to use it. */
  emptied?: Promise<void>;
}

const uses = new Map<string, Use>();

/**
 * Runs what uses the cache in `dir`. Once it calls `spoil`, the cache goes as soon as nobody uses it: what is too
 * large to be installed, or was not fetched to its end, would stay there for ever.
 */
export async function withPackageCache<T>(dir: string, work: (spoil: () => void) => Promise<T>): Promise<T> {
  while (uses.get(dir)?.emptied) await uses.get(dir)?.emptied;
  const use = uses.get(dir) ?? { users: 0, isSpoilt: false };
  uses.set(dir, use);
  use.users++;
  try {
    return await work(() => {
      use.isSpoilt = true;
    });
  } finally {
    if (--use.users === 0) {
      if (use.isSpoilt) await empty(dir, use);
      uses.delete(dir);
    }
  }
}

async function empty(dir: string, use: Use): Promise<void> {
  use.emptied = rm(dir, { recursive: true, force: true }).catch((error) => {
    console.warn(`${dir} could not be emptied: ${messageOf(error)}`);
  });
  await use.emptied;
}
