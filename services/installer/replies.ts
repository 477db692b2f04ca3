/** What replies say about installed folders. */
import type { Installed, InstalledVersion } from "./lock.js";
import type { Origin } from "./origin.js";

/** An entry of the lock file, as it is listed. */
export function describeInstalled({
  id,
  origin,
  installedAt,
  current,
  previous,
}: Installed & { current: InstalledVersion }) {
  const { files, at, ref, ...version } = current;
  return {
    dirName: id,
    ...origin,
    ...version,
    ...(ref !== undefined && { ref }),
    files: Object.keys(files).length,
    installedAt,
    updatedAt: at,
    ...(previous && { previous: { digest: previous.digest, commit: previous.commit, at: previous.at } }),
  };
}

/** A version that is in its place now, as the request that put it there is answered. */
export function describePlaced({ id, origin }: Installed, version: InstalledVersion) {
  const { name, kind, commit, digest, permissions } = version;
  const { type, source } = origin;
  return {
    name,
    dirName: id,
    source,
    type,
    ...detailOf(origin),
    kind,
    ...(commit !== undefined && { commit }),
    digest,
    permissions,
  };
}

function detailOf(origin: Origin) {
  if (origin.type === "fleet") return { from: origin.from };
  return origin.type === "git" && origin.ref !== undefined ? { ref: origin.ref } : {};
}
