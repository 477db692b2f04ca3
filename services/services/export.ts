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

/**
 * Relative paths of what may leave the machine: the code, without `node_modules`, data, dot-files, secrets, and what
 * is outside of the folder. What a link leads to must pass under its own name as well.
 */
export function exportedFiles(dir: string): string[] {
  const root = realpathSync(dir) + sep;
  const { files, reals } = findCode(dir);
  const isWithheld = (path: string) => WITHHELD.some((pattern) => pattern.test(basename(path)));
  return files.filter((file, n) => {
    const real = reals[n];
    return real?.startsWith(root) && !isWithheld(file) && !isWithheld(real);
  });
}

/**
 * A gzipped tarball with the members `name/…`; modes are kept, owners and times are not.
 *
 * @throws LoadFailure `UNREADABLE`
 */
export async function exportTarball(name: string, dir: string): Promise<Uint8Array<ArrayBuffer>> {
  const { create } = await import("tar");
  try {
    const files = exportedFiles(dir).map(literal);
    const options = { cwd: dir, prefix: name, portable: true, follow: true, linkCache: new NoLinks() };
    const packing = create({ gzip: true, ...options }, files);
    // Several files are read at once. What fails after the first has nobody who waits for it.
    packing.on("error", () => undefined);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of packing) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
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
