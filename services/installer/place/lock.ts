/** The lock file: what is installed, where it came from, and what it may do. */
import { join } from "node:path";
import { JsonCollection } from "../../../src/storage/index.js";
import type { FileList } from "../place.js";
import type { Origin } from "../sources/origin.js";

/** One version of an installed folder. */
export interface InstalledVersion {
  /** The service's own name; for a plugin its identifier. */
  name: string;
  kind: "service" | "plugin";
  /** SHA-256 over the code, as everywhere in Reef. */
  digest: string;
  /** The full id, for git. */
  commit?: string;
  /** The ref that was asked for, for git. */
  ref?: string;
  permissions: string[];
  /** ISO 8601. */
  at: string;
  files: FileList;
}

/** An installed folder; `id` is its name in the services folder. */
export interface Installed {
  id: string;
  origin: Origin;
  /** ISO 8601. */
  installedAt: string;
  /** Undefined only while its first installation is under way. */
  current?: InstalledVersion;
  /** The version before, which is kept for a rollback. */
  previous?: InstalledVersion;
  /** What is about to be done, in case the process ends in between. */
  pending?: Placing | { action: "remove" };
}

/** A version on its way into its place. */
export interface Placing {
  action: "place";
  version: InstalledVersion;
  /** No folder is replaced: the one of the version before was not there. */
  isGone?: true;
  /** It is the version that was kept, which is none any more once it is in its place. */
  isKept?: true;
}

/** An entry once that version is in its place. */
export function placed(entry: Installed, { version, isGone, isKept }: Placing): Installed {
  const { pending: _, current, previous, ...rest } = entry;
  const stays = isKept ? undefined : previous;
  const before = isGone ? stays : (current ?? stays);
  return { ...rest, current: version, ...(before && { previous: before }) };
}

export type Lock = JsonCollection<Installed>;

export const LOCK_FILE = "installer.json";

/** Opens `<data>/installer.json`. */
export function openLock(dataDir: string): Lock {
  return new JsonCollection<Installed>({ path: join(dataDir, LOCK_FILE) }).open();
}

/** Everything that is installed, by the name of its folder. */
export function installedOf(lock: Lock): Array<Installed & { current: InstalledVersion }> {
  return lock
    .list()
    .filter((entry): entry is Installed & { current: InstalledVersion } => entry.current !== undefined);
}

/** The entry of a folder or, failing that, of the service of that name. */
export function findInstalled(
  lock: Lock,
  name: string,
): (Installed & { current: InstalledVersion }) | undefined {
  const all = installedOf(lock);
  return all.find(({ id }) => id === name) ?? all.find(({ current }) => current.name === name);
}
