/** A service's code as a tarball, for another Reef to install. */
import { realpathSync } from "node:fs";
import { basename, sep } from "node:path";
import { findCode } from "../../src/core/code/code-files.js";
import { asLoadFailure } from "../../src/core/load-failure.js";

/** Names of files that are no code: secrets, and databases that a service keeps beside it. */
const WITHHELD = [
  /^auth-token/i,
  /^(secrets?|credentials?)(\.|$)/i,
  /^id_(rsa|dsa|ecdsa|ed25519)/i,
  /\.(env|pem|key|p12|pfx|jks|keystore|crt|kdbx)$/i,
  /\.(sqlite3?|db)(-wal|-shm|-journal)?$/i,
  /\.log$/i,
];

/** Of these a name says what the code is about: without `credentials.ts` the service would not run elsewhere. */
const SOURCE = /\.[cm]?[jt]sx?$/i;

const isWithheld = (path: string) => {
  const name = basename(path);
  return !SOURCE.test(name) && WITHHELD.some((pattern) => pattern.test(name));
};

/** Relative paths of a folder's code. */
interface Export {
  /** What may leave the machine. */
  files: string[];
  /** What stays, though the code may use it: by its name, or since it is outside of the folder. */
  withheld: string[];
}

/**
 * Divides the code, which is without `node_modules`, data and dot-files. What a link leads to must pass under its own
 * name as well.
 */
export function exportedFiles(dir: string): Export {
  const root = realpathSync(dir) + sep;
  const { files, reals } = findCode(dir);
  const mayLeave = files.map((file, n) => {
    const real = reals[n] ?? "";
    return real.startsWith(root) && !isWithheld(file) && !isWithheld(real);
  });
  return {
    files: files.filter((_, n) => mayLeave[n]),
    withheld: files.filter((_, n) => !mayLeave[n]),
  };
}

const MOST_NAMED = 20;

/** Paths as a header can carry them: percent-encoded, the first of them, and how many more there are. */
export function listed(paths: readonly string[]): string {
  const named = paths
    .slice(0, MOST_NAMED)
    .map((path) => encodeURIComponent(path.toWellFormed()).replaceAll("%2F", "/"));
  const rest = paths.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join(", ");
}

/**
 * A gzipped tarball with the members `name/…`; modes are kept, owners and times are not.
 *
 * @throws LoadFailure `UNREADABLE`
 */
export async function exportTarball(
  name: string,
  dir: string,
): Promise<{ tarball: Uint8Array<ArrayBuffer>; withheld: string[] }> {
  const { create } = await import("tar");
  try {
    const { files, withheld } = exportedFiles(dir);
    const options = { cwd: dir, prefix: name, portable: true, follow: true, linkCache: new NoLinks() };
    const packing = create({ gzip: true, ...options }, files.map(literal));
    // Several files are read at once. What fails after the first has nobody who waits for it.
    packing.on("error", () => undefined);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of packing) chunks.push(Buffer.from(chunk));
    return { tarball: Buffer.concat(chunks), withheld };
  } catch (error) {
    throw asLoadFailure(error);
  }
}

/** Knows no file again that has another name too: nobody installs what holds hard links. */
class NoLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}

/** A leading `@` would make tar read the file as an archive. */
function literal(file: string): string {
  return file.startsWith("@") ? `./${file}` : file;
}
