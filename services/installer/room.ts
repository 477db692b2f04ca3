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

const PROJECT_ROOT = resolve(import.meta.dir, "..", "..");

/** Tells operations of this process, of whatever version of the installer, from those of one that died. */
const PROCESS = `${process.pid} ${performance.timeOrigin}`;

/** The folders that the installer keeps. */
export interface Places {
  /** On the same file system as the services folder, so that a rename moves a folder between the two. */
  base: string;
  /** One folder for each operation that runs. */
  staging: string;
  /** The version before the present one of each installed folder. */
  previous: string;
  /** What was found in removed folders that the installer had not put there. */
  kept: string;
  cache: string;
}

/** Beside the data folder's own, where the two file systems differ. */
const BESIDE = ".reef-installer";

/** The installer's folders, as they were chosen before; nothing is made. */
export function knownPlaces(dataDir: string, servicesDir: string): Places {
  const own = join(dataDir, ".reef", "installer");
  const beside = join(servicesDir, BESIDE);
  const base = existsSync(beside) ? beside : own;
  return {
    base,
    staging: join(base, "staging"),
    previous: join(base, "previous"),
    kept: join(base, "kept"),
    cache: join(own, "cache"),
  };
}

/**
 * The installer's folders: in the data folder, or in a hidden folder of the services folder when the two are on
 * different file systems. Made if they are missing.
 */
export function findPlaces(dataDir: string, servicesDir: string): Places {
  const places = knownPlaces(dataDir, servicesDir);
  if (canRename(places.base, servicesDir)) return places;
  mkdirSync(join(servicesDir, BESIDE), { recursive: true });
  return knownPlaces(dataDir, servicesDir);
}

function canRename(base: string, servicesDir: string): boolean {
  mkdirSync(base, { recursive: true });
  mkdirSync(servicesDir, { recursive: true });
  const name = `.probe-${process.pid}`;
  const [here, there] = [join(base, name), join(servicesDir, name)];
  mkdirSync(here, { recursive: true });
  try {
    renameSync(here, there);
    rmSync(there, { recursive: true });
    return true;
  } catch (error) {
    rmSync(here, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === "EXDEV") return false;
    throw error;
  }
}

/** The working folder of one operation. While it exists, no other operation on the same name can begin. */
export class Room {
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
  static open(places: Places, dirName: string): Room {
    mkdirSync(places.staging, { recursive: true });
    const path = join(places.staging, dirName.toLowerCase());
    try {
      mkdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new InstallError(409, "source", `"${dirName}" is being installed, updated or removed right now.`);
    }
    writeFileSync(join(path, "owner"), PROCESS);
    const room = new Room(path, dirName);
    mkdirSync(room.services);
    symlinkSync(join(PROJECT_ROOT, "src"), join(path, "src"));
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(path, "node_modules"));
    return room;
  }

  /** The room that an operation on this folder left behind, or would have. */
  static at(places: Places, dirName: string): Room {
    return new Room(join(places.staging, dirName.toLowerCase()), dirName);
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
export function clearStaging(places: Places): void {
  if (!existsSync(places.staging)) return;
  for (const name of readdirSync(places.staging)) {
    const path = join(places.staging, name);
    if (ownedByThisProcess(path)) continue;
    for (const part of ["outgoing", "older"]) {
      if (!existsSync(join(path, part))) continue;
      mkdirSync(places.kept, { recursive: true });
      renameSync(join(path, part), keptFolder(places, name));
    }
    rmSync(path, { recursive: true, force: true });
  }
}

/** A new name for what is kept of a folder. */
export function keptFolder(places: Places, dirName: string): string {
  return join(places.kept, `${dirName}-${Bun.randomUUIDv7()}`);
}

/** Whether an operation of this process works in the room. */
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
