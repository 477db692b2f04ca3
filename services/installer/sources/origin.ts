/** Where something is installed from, and into which folder. */
import { isFolderName } from "../../../src/core/names.js";
import { InstallError, printable } from "../errors.js";
import type { InstallRequest } from "../requests.js";
import { folderName, parseSource, type Transport } from "../sources.js";
import { parseFleetSource } from "./fleet.js";

/** Where something came from, and where its next version is looked for. Never a token. */
export type Origin =
  | {
      type: "git";
      /** As the person wrote it. */
      source: string;
      url: string;
      transport: Transport;
      ref?: string;
      subdirectory?: string;
    }
  | { type: "local"; source: string; path: string; linked: boolean }
  | { type: "fleet"; source: string; from: string; name: string };

/** What an installation is about. */
export interface InstallTarget {
  origin: Origin;
  /** The folder to install into. */
  dirName: string;
}

/** @throws InstallError with status 400, which says what is wrong with the request. */
export function resolveTarget(request: InstallRequest): InstallTarget {
  const { source, from, name } = request;
  if (source !== undefined && from === undefined) return fromSource(source, request);
  if (source !== undefined || from === undefined) {
    throw new InstallError(400, "source", 'give either "source", or "from" and "name".');
  }
  if (name === undefined) throw new InstallError(400, "source", '"name" is required with "from".');
  return fromInstance(from, name, request.dirName ?? name);
}

function fromInstance(from: string, name: string, dirName: string): InstallTarget {
  const fleet = parseFleetSource(from, name);
  if (isFolderName(dirName)) return { origin: { ...fleet, source: from }, dirName };
  const shown = JSON.stringify(printable(dirName, 60));
  throw new InstallError(400, "source", `${shown} is not a valid folder name.`);
}

function fromSource(text: string, request: InstallRequest): InstallTarget {
  const { name, dirName, ref, subdirectory, link } = request;
  const source = parseSource(text, { ref, subdirectory });
  const folder = folderName(source, dirName ?? name);
  if (source.type === "local") {
    return {
      origin: { type: "local", source: text, path: source.path, linked: link ?? true },
      dirName: folder,
    };
  }
  const { url, transport } = source;
  const origin: Origin = {
    type: "git",
    source: text,
    url,
    transport,
    ...(source.ref !== undefined && { ref: source.ref }),
    ...(source.subdirectory !== undefined && { subdirectory: source.subdirectory }),
  };
  return { origin, dirName: folder };
}

/**
 * The same origin at another branch, tag or commit.
 *
 * @throws InstallError with status 400 when it has none.
 */
export function withRef(origin: Origin, ref: string | undefined): Origin {
  if (ref === undefined) return origin;
  if (origin.type === "git") return { ...origin, ref };
  throw new InstallError(400, "source", '"ref" applies only to git sources.');
}
