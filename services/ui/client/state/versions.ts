/** The versions of a service that are kept. */
import { api } from "../api.js";
import type { Failure } from "./services.js";

export interface Version {
  digest: string;
  keptAt: string;
  served: boolean;
}

/** What the manager lists of them, the latest first. */
export interface Kept {
  versions: Version[];
}

export const loadVersions = (name: string) =>
  api<Kept>("GET", `/services/${encodeURIComponent(name)}/versions`);

/** What a rollback leads to that names no version. */
export function versionBefore(
  versions: readonly Version[],
  { digest, failure }: { digest?: string; failure?: Failure },
): Version | undefined {
  const running = versions.find((version) => version.digest === digest);
  if (failure && running) return running;
  return versions.find((version) => version.served && version.digest !== digest);
}
