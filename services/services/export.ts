/** A service's code as a tarball, for another Reef to install. */
import { lstatSync, realpathSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { codeFiles } from "../../src/core/digest.js";

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
 * Relative paths of what may leave the machine: the code, without `node_modules`, data, dot-files, secrets, and
 * links that lead out of the folder.
 */
export function exportedFiles(dir: string): string[] {
  const root = realpathSync(dir) + sep;
  return codeFiles(dir).filter((file) => {
    if (WITHHELD.some((pattern) => pattern.test(basename(file)))) return false;
    return !lstatSync(join(dir, file)).isSymbolicLink() || leadsTo(join(dir, file), root);
  });
}

function leadsTo(link: string, root: string): boolean {
  try {
    const target = realpathSync(link);
    return target.startsWith(root) && !WITHHELD.some((pattern) => pattern.test(basename(target)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A gzipped tarball with the members `name/…`; modes are kept, owners and times are not. */
export async function exportTarball(name: string, dir: string): Promise<Uint8Array<ArrayBuffer>> {
  const { create } = await import("tar");
  const pack = create({ gzip: true, cwd: dir, prefix: name, portable: true, follow: true }, [
    ...exportedFiles(dir).map(literal),
  ]);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of pack) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A leading `@` would make tar read the file as an archive. */
function literal(file: string): string {
  return file.startsWith("@") ? `./${file}` : file;
}
