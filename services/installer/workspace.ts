/** Where one operation works: a folder of its own inside the data folder, gone when the operation is over. */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";
import type { Folders } from "./folders.js";
import { HALF_WAY, keepLeft, makeRoom, OWNER, PROCESS } from "./workspace/staging.js";

const PROJECT_ROOT = resolve(import.meta.dir, "..", "..");

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
  /** The file that says that a folder is on its way into its place, or is there. */
  readonly begun: string;
  /** Set when what was changed could not be taken back: then all of this is needed to mend it. */
  isHalfWay = false;

  private constructor(
    private readonly folders: Folders,
    dirName: string,
  ) {
    const path = join(folders.staging, dirName.toLowerCase());
    this.path = path;
    this.services = join(path, "services");
    this.incoming = join(this.services, dirName);
    this.outgoing = join(path, "outgoing");
    this.older = join(path, "older");
    this.begun = join(path, "begun");
  }

  /** @throws InstallError with status 409 while another operation works on the same name, or what it left cannot go. */
  static open(folders: Folders, dirName: string): Workspace {
    mkdirSync(folders.staging, { recursive: true });
    const workspace = new Workspace(folders, dirName);
    const { path } = workspace;
    makeRoom(folders, path, dirName);
    mkdirSync(path);
    try {
      writeFileSync(join(path, OWNER), PROCESS);
      mkdirSync(workspace.services);
      symlinkSync(join(PROJECT_ROOT, "src"), join(path, "src"));
      symlinkSync(join(PROJECT_ROOT, "node_modules"), join(path, "node_modules"));
      return workspace;
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw error;
    }
  }

  /** The workspace that an operation on this folder left behind, or would have. */
  static at(folders: Folders, dirName: string): Workspace {
    return new Workspace(folders, dirName);
  }

  /** Links the services that are installed, for code that imports from its neighbours. */
  linkNeighbours(servicesDir: string): void {
    for (const name of readdirSync(servicesDir)) {
      const link = join(this.services, name);
      if (!name.startsWith(".") && link !== this.incoming) symlinkSync(join(servicesDir, name), link);
    }
  }

  /** Removes it, unless something in it is needed or cannot be kept elsewhere: then nobody owns it any more. */
  async close(log: Logger): Promise<void> {
    const { path, isHalfWay } = this;
    try {
      if (isHalfWay) return renameSync(join(path, OWNER), join(path, HALF_WAY));
      keepLeft(this.folders, path);
      // The owner goes last: nobody else may begin here before.
      for (const name of readdirSync(path)) {
        if (name !== OWNER) await rm(join(path, name), { recursive: true, force: true });
      }
      rmSync(path, { recursive: true });
    } catch (error) {
      log.error(
        `${path} could not be removed now; it is removed at the next start or the next change of this folder: ${messageOf(error)}`,
      );
      if (!isHalfWay) rmSync(join(path, OWNER), { force: true });
    }
  }
}
