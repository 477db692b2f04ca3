/** Where one operation works: a folder of its own inside the data folder, gone when the operation is over. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InstallError } from "./errors.js";
import { type Folders, keptFolder } from "./folders.js";

const PROJECT_ROOT = resolve(import.meta.dir, "..", "..");

/** Tells operations of this process, of whatever version of the installer, from those of one that died. */
const PROCESS = `${process.pid} ${performance.timeOrigin}`;

/** The working folder of one operation. While it exists, no other operation on the same name can begin. */
export class Workspace {
  readonly path: string;
  /** Like a checkout: `src`, `node_modules` and `services` with the new folder and links to its neighbours. */
  readonly services: string;
  /** The folder that is being put together. */
  readonly incoming: string;
  /** Where a folder that is removed goes. */
  readonly outgoing: string;
  /** Where the version before the replaced one goes. */
  readonly older: string;

  private constructor(path: string, dirName: string) {
    this.path = path;
    this.services = join(path, "services");
    this.incoming = join(this.services, dirName);
    this.outgoing = join(path, "outgoing");
    this.older = join(path, "older");
  }

  /** @throws InstallError with status 409 while another operation works on the same name. */
  static open(folders: Folders, dirName: string): Workspace {
    mkdirSync(folders.staging, { recursive: true });
    const path = join(folders.staging, dirName.toLowerCase());
    try {
      mkdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new InstallError(409, "source", `"${dirName}" is being installed, updated or removed right now.`);
    }
    writeFileSync(join(path, "owner"), PROCESS);
    const workspace = new Workspace(path, dirName);
    mkdirSync(workspace.services);
    symlinkSync(join(PROJECT_ROOT, "src"), join(path, "src"));
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(path, "node_modules"));
    return workspace;
  }

  /** The workspace that an operation on this folder left behind, or would have. */
  static at(folders: Folders, dirName: string): Workspace {
    return new Workspace(join(folders.staging, dirName.toLowerCase()), dirName);
  }

  /** Links the services that are installed, for code that imports from its neighbours. */
  linkNeighbours(servicesDir: string): void {
    for (const name of readdirSync(servicesDir)) {
      const link = join(this.services, name);
      if (!name.startsWith(".") && link !== this.incoming) symlinkSync(join(servicesDir, name), link);
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Removes what operations of earlier processes left; folders that had been in service are kept aside. */
export function clearStaging(folders: Folders): void {
  if (!existsSync(folders.staging)) return;
  for (const name of readdirSync(folders.staging)) {
    const path = join(folders.staging, name);
    if (ownedByThisProcess(path)) continue;
    for (const part of ["outgoing", "older"]) {
      if (!existsSync(join(path, part))) continue;
      mkdirSync(folders.kept, { recursive: true });
      renameSync(join(path, part), keptFolder(folders, name));
    }
    rmSync(path, { recursive: true, force: true });
  }
}

/** Whether an operation of this process works in the workspace. */
export function ownedByThisProcess(path: string): boolean {
  try {
    return readFileSync(join(path, "owner"), "utf8") === PROCESS;
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === "ENOENT" ||
      (error as NodeJS.ErrnoException).code === "ENOTDIR"
    )
      return false;
    throw error;
  }
}
