import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts a file system of 16 MB at $1, then runs the rest; it is gone with the last process that sees it. */
const MOUNT_AND_RUN = 'mount -t tmpfs -o size=16m reef "$1" && shift && exec "$@"';

function commands(folder: string, command: string[]): string[][] {
  const run = ["sh", "-c", MOUNT_AND_RUN, "sh", folder, ...command];
  return [
    ["unshare", "--user", "--map-root-user", "--mount", ...run],
    ["unshare", "--mount", ...run],
  ];
}

/**
 * Finds a way to give a child process a disk of 16 MB: with a user
 * namespace, else as root. `undefined` when this machine allows neither.
 */
export function findSmallDisk(): ((command: (folder: string) => string[]) => Promise<string>) | undefined {
  const probe = mkdtempSync(join(tmpdir(), "reef-disk-"));
  try {
    const way = commands(probe, ["true"]).findIndex((args) => {
      const unshare = Bun.which("unshare");
      return unshare !== null && Bun.spawnSync(args, { stdio: ["ignore", "ignore", "ignore"] }).success;
    });
    return way < 0 ? undefined : (command) => runOnSmallDisk(way, command);
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

async function runOnSmallDisk(way: number, command: (folder: string) => string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "reef-disk-"));
  try {
    const args = commands(folder, command(folder))[way] as string[];
    const child = Bun.spawn(args, { stderr: "pipe" });
    const [output, errors, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (status !== 0) throw new Error(`the child on the small disk ended with ${status}: ${errors}`);
    return output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
