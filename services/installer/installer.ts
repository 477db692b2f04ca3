/** Installs, updates, rolls back and removes: each one job, in a staging room of its own. */
import { join } from "node:path";
import type { Config } from "../../src/core/config.js";
import { messageOf } from "../../src/core/errors.js";
import { isSafeName } from "../../src/core/names.js";
import { StorageError } from "../../src/core/storage-error.js";
import type { ServiceContext } from "../../src/core/types.js";
import { InstallError, printable } from "./errors.js";
import { parseFleetSource } from "./fleet.js";
import { type Action, type Job, Jobs, type Progress } from "./jobs.js";
import { findInstalled, type Installed, type InstalledVersion, type Lock, type Origin } from "./lock.js";
import { additionalPermissions } from "./permissions.js";
import { changedFiles, isThere } from "./place.js";
import { takeUpPlugin } from "./plugins.js";
import { findPlaces, type Places, Room } from "./room.js";
import { checkedRef, folderName, parseSource } from "./sources.js";
import { stage } from "./stage.js";
import { putIntoPlace, takeAway } from "./transaction.js";
import { asInstallError } from "./validate.js";

export interface InstallRequest {
  source?: string;
  ref?: string;
  subdirectory?: string;
  /** Another Reef, and the name of a service there. */
  from?: string;
  name?: string;
  /** The folder to install into. */
  dirName?: string;
  /** For a folder on this machine: link it, or copy it. */
  link?: boolean;
  /** For the repository or the other Reef; used once, kept nowhere. */
  token?: string;
  test?: boolean;
}

export interface UpdateRequest {
  /** The folder or the service. */
  name: string;
  /** Another branch, tag or commit than the one it follows. */
  ref?: string;
  token?: string;
  test?: boolean;
  /** Also when files were changed here; they are kept with the version before. */
  force?: boolean;
  acceptPermissions?: boolean;
}

export interface RemoveRequest {
  name: string;
  /** Also when other services need it. */
  force?: boolean;
}

type Entry = Installed & { current: InstalledVersion };

/** A job that has begun. */
export interface Started {
  job: Job;
  /** Rejects with an `InstallError`. */
  result: Promise<Record<string, unknown>>;
}

const MOST_AT_ONCE = 4;

export class Installer {
  readonly jobs: Jobs;
  readonly lock: Lock;
  readonly #ctx: ServiceContext;
  readonly #config: Config;
  #foundPlaces: Places | undefined;
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(ctx: ServiceContext, config: Config, lock: Lock) {
    this.#ctx = ctx;
    this.#config = config;
    this.lock = lock;
    this.jobs = new Jobs(ctx.events);
  }

  get #places(): Places {
    this.#foundPlaces ??= findPlaces(this.#ctx.dataDir, this.#ctx.servicesDir);
    return this.#foundPlaces;
  }

  /** Begins an installation. Throws an `InstallError` when it is refused right away. */
  install(request: InstallRequest): Started {
    const { origin, dirName } = this.#originOf(request);
    const known = findInstalled(this.lock, dirName);
    if (known?.id === dirName) {
      throw new InstallError(
        409,
        "source",
        `"${dirName}" is installed from ${known.origin.source}; update or remove it.`,
      );
    }
    const taken =
      isThere(join(this.#ctx.servicesDir, dirName)) || this.#ctx.registry.get(dirName)?.state === "loaded";
    if (taken)
      throw new InstallError(
        409,
        "source",
        `there is a service "${dirName}" already; choose another "dirName".`,
      );
    return this.#begin("install", dirName, origin.source, request.token, async (progress, room, signal) => {
      const { version, tests } = await this.#stage(origin, dirName, room, progress, signal, request);
      const entry: Installed = { id: dirName, origin, installedAt: new Date().toISOString() };
      await progress.step("load", () => putIntoPlace(entry, version, room.incoming, room, this.#options));
      return { ...described(entry, version), action: "installed", ...(tests && { tests }) };
    });
  }

  #originOf(request: InstallRequest): { origin: Origin; dirName: string } {
    const { source: text, from, name, dirName, ref, subdirectory, link } = request;
    if ((text === undefined) === (from === undefined)) {
      throw new InstallError(400, "source", 'give either "source", or "from" and "name".');
    }
    if (from !== undefined) {
      if (name === undefined) throw new InstallError(400, "source", '"name" is required beside "from".');
      const fleet = parseFleetSource(from, name);
      const chosen = dirName ?? name;
      if (!isSafeName(chosen))
        throw new InstallError(
          400,
          "source",
          `${JSON.stringify(printable(chosen, 60))} cannot be a service folder.`,
        );
      return { origin: { ...fleet, source: from }, dirName: chosen };
    }
    const source = parseSource(text as string, { ref, subdirectory });
    const folder = folderName(source, dirName ?? name);
    if (source.type === "local") {
      return {
        origin: { type: "local", source: text as string, path: source.path, linked: link ?? true },
        dirName: folder,
      };
    }
    const { url, transport } = source;
    const origin: Origin = {
      type: "git",
      source: text as string,
      url,
      transport,
      ...(source.ref !== undefined && { ref: source.ref }),
      ...(source.subdirectory !== undefined && { subdirectory: source.subdirectory }),
    };
    return { origin, dirName: folder };
  }

  /** Begins an update to what the source holds now. */
  update(request: UpdateRequest): Started {
    const entry = this.#find(request.name);
    const { id, current } = entry;
    const origin = withRef(entry.origin, checkedRef(request.ref));
    return this.#begin("update", id, origin.source, request.token, async (progress, room, signal) => {
      const linked = origin.type === "local" && origin.linked;
      if (!linked && !request.force) await this.#refuseLocalChanges(entry);
      const review = (wanted: Pick<InstalledVersion, "permissions">) => {
        const added = additionalPermissions(current.permissions, wanted.permissions);
        if (added.length === 0 || request.acceptPermissions) return;
        const message = `the new version of "${id}" asks for more: ${added.join(", ")}. Update with "acceptPermissions": true to agree.`;
        throw new InstallError(409, "check", message, {
          permissions: { present: current.permissions, wanted: wanted.permissions, added },
        });
      };
      const { version, tests } = await this.#stage(origin, id, room, progress, signal, request, review);
      const changed =
        version.digest !== current.digest || version.commit !== current.commit || request.force === true;
      const next: Entry = { ...entry, origin };
      let kept: string[] = [];
      await progress.step("load", async () => {
        if (changed && !linked) kept = await putIntoPlace(next, version, room.incoming, room, this.#options);
        else await this.#reloadInPlace(next, version);
      });
      const done = { ...described(next, version), action: "updated", changed };
      return { ...done, ...(kept.length > 0 && { kept }), ...(tests && { tests }) };
    });
  }

  /** The folder already holds what was fetched. */
  async #reloadInPlace(entry: Entry, version: InstalledVersion): Promise<void> {
    try {
      if (version.kind === "service") await this.#ctx.registry.load(entry.id);
      else await takeUpPlugin(this.#ctx, entry.id);
    } catch (error) {
      throw asInstallError(error, "load");
    }
    await this.lock.put({ ...entry, current: version });
  }

  async #refuseLocalChanges({ id, current }: Entry): Promise<void> {
    const folder = join(this.#ctx.servicesDir, id);
    const changed = isThere(folder) ? await changedFiles(folder, current.files) : [];
    if (changed.length === 0) return;
    const shown = changed.slice(0, 5).join(", ") + (changed.length > 5 ? ", …" : "");
    const message = `files of "${id}" were changed here: ${shown}. Update with "force": true to replace them; they are kept for a rollback.`;
    throw new InstallError(409, "check", message, { changed });
  }

  /** Begins the return to the version before. */
  rollback(name: string): Started {
    const entry = this.#find(name);
    const { id, previous } = entry;
    const folder = join(this.#places.previous, id);
    if (!previous || !isThere(folder)) {
      throw new InstallError(409, "source", `no earlier version of "${id}" is kept.`);
    }
    return this.#begin("rollback", id, entry.origin.source, undefined, async (progress, room) => {
      const version = { ...previous, at: new Date().toISOString() };
      const { previous: _, ...present } = entry;
      await progress.step("load", () => putIntoPlace(present, version, room.older, room, this.#options));
      return { ...described(entry, version), action: "rolled-back" };
    });
  }

  /** Begins a removal. */
  remove({ name, force = false }: RemoveRequest): Started {
    const entry = this.#find(name);
    const { id, current } = entry;
    return this.#begin("remove", id, entry.origin.source, undefined, async (progress, room) => {
      const kept = await progress.step("remove", () => takeAway(entry, room, force, this.#options));
      return { name: current.name, dirName: id, action: "removed", ...(kept.length > 0 && { kept }) };
    });
  }

  #find(name: string): Entry {
    const entry = findInstalled(this.lock, name);
    if (entry) return entry;
    throw new InstallError(
      404,
      "source",
      `${JSON.stringify(printable(name, 60))} was not installed by the installer.`,
    );
  }

  get #options() {
    const { servicesDir, registry, log } = this.#ctx;
    const takeUp = (dirName: string) => takeUpPlugin(this.#ctx, dirName);
    return { lock: this.lock, registry, servicesDir, places: this.#places, log, takeUp };
  }

  #stage(
    origin: Origin,
    dirName: string,
    room: Room,
    progress: Progress,
    signal: AbortSignal,
    { token, test = false }: { token?: string; test?: boolean },
    review?: (version: Pick<InstalledVersion, "permissions">) => void,
  ) {
    const { servicesDir, dataDir, registry } = this.#ctx;
    const { installAllow: allowed, initTimeoutMs, testTimeoutMs } = this.#config;
    const own = [servicesDir, dataDir];
    const places = this.#places;
    const options = {
      allowed,
      token,
      signal,
      own,
      registry,
      servicesDir,
      places,
      initTimeoutMs,
      testTimeoutMs,
      test,
      review,
    };
    return stage(origin, dirName, room, progress, options);
  }

  #begin(
    action: Action,
    dirName: string,
    source: string,
    token: string | undefined,
    work: (progress: Progress, room: Room, signal: AbortSignal) => Promise<Record<string, unknown>>,
  ): Started {
    if (this.#ending.signal.aborted)
      throw new InstallError(503, "source", "the installer is being stopped; try again.");
    if (this.jobs.running >= MOST_AT_ONCE) {
      throw new InstallError(
        503,
        "source",
        `${MOST_AT_ONCE} jobs are running; try again when one of them is done.`,
      );
    }
    const room = Room.open(this.#places, dirName);
    const clean = cleaner(token);
    const progress = this.jobs.begin(action, dirName, printable(source, 200), clean);
    const result = this.#run(progress, room, clean, work);
    this.#running.add(result);
    // Whoever asked may be gone by then; the job says how it ended.
    result.catch(() => undefined).finally(() => this.#running.delete(result));
    return { job: progress.job, result };
  }

  async #run(
    progress: Progress,
    room: Room,
    clean: (text: string) => string,
    work: (progress: Progress, room: Room, signal: AbortSignal) => Promise<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const limit = new AbortController();
    const ms = this.#config.installTimeoutMs;
    const timer = setTimeout(() => {
      limit.abort(new InstallError(504, "fetch", `it did not finish in ${ms} ms (REEF_INSTALL_TIMEOUT).`));
    }, ms);
    const signal = AbortSignal.any([limit.signal, this.#ending.signal]);
    try {
      const result = await work(progress, room, signal);
      progress.done(result);
      return result;
    } catch (error) {
      const failure = cleaned(signal.aborted ? signal.reason : error, clean);
      const status = failure instanceof InstallError ? failure.status : statusOf(failure);
      const message = failure instanceof InstallError ? failure.message : messageOf(failure);
      if (status === 500) this.#ctx.log.error(`${progress.job.action} of ${progress.job.dirName}:`, failure);
      progress.failed(message, status);
      throw failure;
    } finally {
      clearTimeout(timer);
      await room.remove();
    }
  }

  /** Ends what runs, each job undoing what it has done, and waits for that. */
  async close(): Promise<void> {
    this.#ending.abort(new InstallError(503, "source", "the installer was stopped; try again."));
    await Promise.allSettled(this.#running);
    this.lock.close();
  }
}

function statusOf(error: unknown): number {
  return error instanceof StorageError && error.code === "STORAGE_FULL" ? 507 : 500;
}

/** Takes a token out of a text: a remote may send it back in its error, and from there it would be shown and kept. */
function cleaner(token: string | undefined): (text: string) => string {
  if (token === undefined) return (text) => text;
  const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
  return (text) => text.replaceAll(token, "…").replaceAll(basic, "…");
}

function cleaned(error: unknown, clean: (text: string) => string): unknown {
  if (!(error instanceof InstallError)) return error;
  return new InstallError(error.status, error.step, clean(error.message), error.details, {
    cause: error.cause,
  });
}

function withRef(origin: Origin, ref: string | undefined): Origin {
  if (ref === undefined) return origin;
  if (origin.type === "git") return { ...origin, ref };
  throw new InstallError(400, "source", "only what comes from git has a ref.");
}

/** What replies say about an installed folder. */
function described({ id, origin }: Installed, { name, kind, commit, digest, permissions }: InstalledVersion) {
  const { type, source } = origin;
  const version = { kind, ...(commit !== undefined && { commit }), digest, permissions };
  const where =
    type === "git" && origin.ref !== undefined
      ? { ref: origin.ref }
      : type === "fleet"
        ? { from: origin.from }
        : {};
  return { name, dirName: id, source, type, ...where, ...version };
}
