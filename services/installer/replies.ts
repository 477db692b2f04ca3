/** What replies say about installed folders. */
import type { Installed, InstalledVersion } from "./place/lock.js";

/** An entry of the lock file, as it is listed. */
export function describeInstalled({
  id,
  origin,
  installedAt,
  current,
  previous,
}: Installed & { current: InstalledVersion }) {
  const { files, at, ...version } = current;
  // The ref of the origin is what an update would follow.
  const { ref: _, ...from } = { ref: undefined, ...origin };
  return {
    dirName: id,
    ...from,
    ...version,
    files: Object.keys(files).length,
    installedAt,
    updatedAt: at,
    ...(previous && { previous: { digest: previous.digest, commit: previous.commit, at: previous.at } }),
  };
}

/** A version that is in its place now, as the request that put it there is answered. */
export function describePlaced({ id, origin }: Installed, version: InstalledVersion) {
  const { name, kind, commit, digest, permissions, ref } = version;
  const { type, source } = origin;
  return {
    name,
    dirName: id,
    source,
    type,
    ...(origin.type === "fleet" && { from: origin.from }),
    ...(ref !== undefined && { ref }),
    kind,
    ...(commit !== undefined && { commit }),
    digest,
    permissions,
  };
}
