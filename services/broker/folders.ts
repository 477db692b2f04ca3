import { join } from "node:path";
import { type Broker, readIdentifier } from "../../src/broker/index.js";
import { follow } from "../../src/core/code/code-files.js";
import { readSource, type Source, standsAsRead } from "../../src/core/code/digest.js";
import { entriesOf, isPluginFolder } from "../../src/core/discover.js";
import { messageOf } from "../../src/core/errors.js";

/** A plugin folder that could not be loaded. */
export interface FolderFailure {
  dir: string;
  error: string;
}

/** What bringing plugins in line with their folders did. */
export interface FolderChanges {
  results: { name: string; action: "added" | "updated" | "removed" }[];
  errors: FolderFailure[];
}

interface Known {
  /** What was found when the folder was last looked at. */
  source: Source | null;
  /** The plugin that is loaded from this folder, if one ever was. */
  pluginId: string | null;
  error: string | null;
}

/** The plugin folders among the service folders: loaded, replaced and removed as they change. */
export class PluginFolders {
  readonly #known = new Map<string, Known>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly servicesDir: string,
  ) {}

  /** Loads what is new or changed and removes what is gone. One at a time; a failed change keeps the old version. */
  sync(): Promise<FolderChanges> {
    const next = this.#queue.then(() => this.#sync());
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #sync(): Promise<FolderChanges> {
    const changes: FolderChanges = { results: [], errors: [] };
    const present = this.#scan();
    for (const [dirName, known] of [...this.#known]) {
      if (present.includes(dirName)) continue;
      this.#known.delete(dirName);
      if (known.pluginId !== null && this.broker.unload(known.pluginId)) {
        changes.results.push({ name: known.pluginId, action: "removed" });
      }
    }
    for (const dirName of present) await this.#load(dirName, changes);
    return changes;
  }

  #scan(): string[] {
    return entriesOf(this.servicesDir)
      .map(({ name }) => name)
      .filter((name) => {
        const dir = join(this.servicesDir, name);
        try {
          return follow(dir)?.stat.isDirectory() === true && isPluginFolder(dir);
        } catch {
          // Loading says why a plugin that was there cannot be read. Of others the server says so itself.
          return this.#known.has(name);
        }
      });
  }

  async #load(dirName: string, changes: FolderChanges): Promise<void> {
    const dir = join(this.servicesDir, dirName);
    const known: Known = this.#known.get(dirName) ?? { source: null, pluginId: null, error: null };
    this.#known.set(dirName, known);
    try {
      const { source: before } = known;
      known.source = sourceOf(dir, before);
      // What was refused may have been so for another folder, or for what is no part of its code.
      const isServed = known.pluginId !== null && this.broker.hasPlugin(known.pluginId);
      if (known.source.digest === before?.digest && known.error === null && isServed) return;
      const id = readIdentifier(dir);
      const rival = [...this.#known].find(([other, { pluginId }]) => other !== dirName && pluginId === id);
      if (rival) throw new Error(`the identifier "${id}" is already used by the folder ${rival[0]}`);
      await this.broker.load(dir);
      if (known.pluginId !== null && known.pluginId !== id) this.broker.unload(known.pluginId);
      changes.results.push({ name: id, action: known.pluginId === id ? "updated" : "added" });
      known.pluginId = id;
      known.error = null;
    } catch (error) {
      known.error = messageOf(error);
      changes.errors.push({ dir: dirName, error: known.error });
    }
  }

  /** Folders that are not served, or not in their present form, and why. */
  failures(): FolderFailure[] {
    return [...this.#known].flatMap(([dir, { error }]) => (error === null ? [] : [{ dir, error }]));
  }
}

/** What a folder holds now. Its files are read only if they may have changed. */
function sourceOf(dir: string, before: Source | null): Source {
  return before && standsAsRead(dir, before) ? before : readSource(dir);
}
