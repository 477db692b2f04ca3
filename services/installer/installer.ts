/** Installs, updates, rolls back and removes: each one job, in a workspace of its own. */
import { join } from "node:path";
import type { Config } from "../../src/core/config.js";
import { shuttingDown, switchedOff } from "../../src/core/load-failure.js";
import type { ServiceContext } from "../../src/core/types.js";
import { InstallError, printable } from "./errors.js";
import { type Folders, findFolders } from "./folders.js";
import { type JobContext, JobRunner, type Started } from "./jobs/runner.js";
import { Jobs } from "./jobs.js";
import { takeUpPlugin } from "./package/plugins.js";
import { asInstallError } from "./package/validate.js";
import { additionalPermissions } from "./permissions.js";
import type { Leftovers } from "./place/leftovers.js";
import { findInstalled, type Installed, type InstalledVersion, type Lock } from "./place/lock.js";
import { putIntoPlace, type TransactionOptions, takeAway } from "./place/transaction.js";
import { changedFiles, differences, isThere, leadsToAnother } from "./place.js";
import { describePlaced } from "./replies.js";
import type { InstallRequest, RemoveRequest, UpdateRequest } from "./requests.js";
import { withoutCredentials } from "./sources/credentials.js";
import { type Origin, resolveTarget, withRef } from "./sources/origin.js";
import { checkedRef } from "./sources.js";
import { type Staged, type StageOptions, stage } from "./workspace/stage.js";

type Entry = Installed & { current: InstalledVersion };
type Review = NonNullable<StageOptions["review"]>;

export class Installer {
  readonly jobs: Jobs;
  readonly lock: Lock;
  readonly #ctx: ServiceContext;
  readonly #config: Config;
  readonly #runner: JobRunner;
  #foundFolders: Folders | undefined;

  constructor(ctx: ServiceContext, config: Config, lock: Lock) {
    this.#ctx = ctx;
    this.#config = config;
    this.lock = lock;
    this.jobs = new Jobs(ctx);
    this.#runner = new JobRunner(this.jobs, config.installTimeoutMs, ctx.log);
  }

  get #folders(): Folders {
    this.#foundFolders ??= findFolders(this.#ctx.dataDir, this.#ctx.servicesDir);
    return this.#foundFolders;
  }

  /** Begins an installation. Throws an `InstallError` when it is refused right away. */
  install(request: InstallRequest): Started {
    const { origin, dirName } = resolveTarget(request);
    this.#refuseTaken(dirName);
    const options = { action: "install", dirName, source: origin.source, token: request.token } as const;
    return this.#runner.begin(options, this.#folders, async (job) => {
      const { version, tests } = await this.#stage(origin, dirName, job, request);
      const entry: Installed = { id: dirName, origin, installedAt: new Date().toISOString() };
      const left = await job.progress.step("load", () =>
        this.#place(entry, version, job.workspace.incoming, job),
      );
      return { ...describePlaced(entry, version), action: "installed", ...left, ...(tests && { tests }) };
    });
  }

  #refuseTaken(dirName: string): void {
    const known = findInstalled(this.lock, dirName);
    if (known?.id === dirName) {
      const message = `"${dirName}" is already installed from ${known.origin.source}; update or remove it.`;
      throw new InstallError(409, "source", message);
    }
    const { servicesDir, registry } = this.#ctx;
    if (isThere(join(servicesDir, dirName)) || registry.get(dirName)?.state === "loaded") {
      const message = `a service "${dirName}" already exists; choose another "dirName".`;
      throw new InstallError(409, "source", message);
    }
  }

  /** Begins an update to what the source holds now. */
  update(request: UpdateRequest): Started {
    const entry = this.#findSwitchedOn(request.name);
    const { id, current } = entry;
    const origin = withRef(entry.origin, checkedRef(request.ref));
    const options = { action: "update", dirName: id, source: origin.source, token: request.token } as const;
    return this.#runner.begin(options, this.#folders, async (job) => {
      const linked = origin.type === "local" && origin.linked;
      if (!linked && !request.force) await this.#refuseLocalChanges(entry, job.signal);
      const review = request.acceptPermissions ? undefined : permissionReview(entry);
      const { version, tests } = await this.#stage(origin, id, job, request, review);
      const target = join(this.#ctx.servicesDir, id);
      const isGone = !isThere(target);
      const leadsElsewhere = linked && leadsToAnother(target, job.workspace.incoming);
      const changed = isGone || leadsElsewhere || request.force === true || isOther(version, current);
      const next: Entry = { ...entry, origin };
      const left = await job.progress.step("load", () =>
        isGone || leadsElsewhere || (changed && !linked)
          ? this.#place(next, version, job.workspace.incoming, job)
          : this.#reloadInPlace(next, version),
      );
      const done = { ...describePlaced(next, version), action: "updated", changed };
      return { ...done, ...left, ...(tests && { tests }) };
    });
  }

  /** The folder already holds what was fetched, and nothing in it is replaced. */
  async #reloadInPlace(entry: Entry, version: InstalledVersion): Promise<Leftovers> {
    try {
      if (version.kind === "service") await this.#ctx.registry.load(entry.id);
      else await takeUpPlugin(this.#ctx, entry.id);
    } catch (error) {
      throw asInstallError(error, "load");
    }
    await this.lock.put({ ...entry, current: { ...version, files: entry.current.files } });
    return {};
  }

  async #refuseLocalChanges({ id, current }: Entry, signal: AbortSignal): Promise<void> {
    const folder = join(this.#ctx.servicesDir, id);
    const changed = isThere(folder) ? await changedFiles(folder, current.files, signal) : [];
    if (changed.length === 0) return;
    const shown = changed.slice(0, 5).join(", ") + (changed.length > 5 ? ", …" : "");
    const message = `files of "${id}" were changed locally: ${shown}. Update with "force": true to replace them; they are kept for a rollback.`;
    throw new InstallError(409, "check", message, { changed });
  }

  /** Begins the return to the version before. */
  rollback(name: string): Started {
    const entry = this.#findSwitchedOn(name);
    const { id, previous } = entry;
    const folder = join(this.#folders.previous, id);
    if (!previous || !isThere(folder)) {
      throw new InstallError(409, "source", `no earlier version of "${id}" is kept.`);
    }
    const options = { action: "rollback", dirName: id, source: entry.origin.source } as const;
    return this.#runner.begin(options, this.#folders, async (job) => {
      const version = { ...previous, at: new Date().toISOString() };
      await job.progress.step("load", () => this.#place(entry, version, job.workspace.older, job));
      return { ...describePlaced(entry, version), action: "rolled-back" };
    });
  }

  /** Begins a removal. */
  remove({ name, force = false }: RemoveRequest): Started {
    const entry = this.#find(name);
    const { id, current, origin } = entry;
    const options = { action: "remove", dirName: id, source: origin.source } as const;
    return this.#runner.begin(options, this.#folders, async ({ progress, workspace }) => {
      const left = await progress.step("remove", () => takeAway(entry, workspace, force, this.#transaction));
      return { name: current.name, dirName: id, action: "removed", ...left };
    });
  }

  #find(name: string): Entry {
    const entry = findInstalled(this.lock, name);
    if (entry) return entry;
    const shown = JSON.stringify(printable(withoutCredentials(name), 60));
    throw new InstallError(404, "source", `${shown} was not installed with the installer.`);
  }

  /** What is switched off would not be loaded, so nothing is fetched for it either. */
  #findSwitchedOn(name: string): Entry {
    const entry = this.#find(name);
    if (this.#ctx.registry.isDisabled(entry.id)) throw asInstallError(switchedOff(entry.id), "source");
    return entry;
  }

  get #transaction(): TransactionOptions {
    const { servicesDir, registry, log } = this.#ctx;
    const takeUp = (dirName: string) => takeUpPlugin(this.#ctx, dirName);
    return { lock: this.lock, registry, servicesDir, folders: this.#folders, log, takeUp };
  }

  #place(
    entry: Installed,
    version: InstalledVersion,
    from: string,
    { workspace }: JobContext,
  ): Promise<Leftovers> {
    return putIntoPlace(entry, version, from, workspace, this.#transaction);
  }

  #stage(
    origin: Origin,
    dirName: string,
    { workspace, progress, signal }: JobContext,
    { token, test = false }: { token?: string; test?: boolean },
    review?: Review,
  ): Promise<Staged> {
    const { servicesDir, dataDir, registry } = this.#ctx;
    const { installAllow: allowed, initTimeoutMs, testTimeoutMs } = this.#config;
    return stage(origin, dirName, workspace, progress, {
      allowed,
      token,
      signal,
      own: [servicesDir, dataDir],
      registry,
      servicesDir,
      folders: this.#folders,
      initTimeoutMs,
      testTimeoutMs,
      test,
      review,
    });
  }

  /** Ends what runs as the server ends, which then need not wait for it. */
  stop(): Promise<void> {
    return this.#runner.end(asInstallError(shuttingDown(), "source"));
  }

  /** Ends what runs, each job undoing what it has done, and waits for that. */
  async close(): Promise<void> {
    await this.#runner.end(new InstallError(503, "source", "the installer was stopped; try again."));
    this.lock.close();
  }
}

function isOther(version: InstalledVersion, { digest, commit, files }: InstalledVersion): boolean {
  return (
    version.digest !== digest || version.commit !== commit || differences(version.files, files).length > 0
  );
}

/** What a plugin asks for that becomes a service. */
const IN_THE_SERVER = "everything (it runs in the server's process)";

/** Refuses a version that asks for more than the present one. */
function permissionReview({ id, current }: Entry): Review {
  return ({ kind, permissions: wanted }) => {
    const added = additionalPermissions(current.permissions, wanted);
    if (kind === "service" && current.kind === "plugin") added.unshift(IN_THE_SERVER);
    if (added.length === 0) return;
    const message = `the new version of "${id}" requests more permissions: ${added.join(", ")}. Update with "acceptPermissions": true to accept them.`;
    throw new InstallError(409, "check", message, {
      permissions: { present: current.permissions, wanted, added },
    });
  };
}
