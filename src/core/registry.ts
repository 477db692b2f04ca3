/** Every change of what is running, one after the other: so that two changes never race. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { breathe } from "./breathe.js";
import type { Checker } from "./checker.js";
import type { ContextHost, Peer } from "./context.js";
import { Copies } from "./copies.js";
import { readSource, type Source } from "./digest.js";
import { asLoadFailure } from "./discover.js";
import type { Dispatcher } from "./dispatch.js";
import { endOlder } from "./draining.js";
import type { EventBus } from "./events.js";
import { FailureBook } from "./failures.js";
import { type Generation, importGeneration, wrapModule } from "./generation.js";
import { inHost, initializing } from "./host-context.js";
import { changes, snapshots } from "./late.js";
import { initCycle, LoadFailure, shuttingDown } from "./load-failure.js";
import type { LogBook } from "./log.js";
import { folderOf } from "./lookup.js";
import { assertFolderName } from "./names.js";
import { CHANGE_EVENT, STOPPING_EVENT, SYNC_EVENT } from "./registry-events.js";
import type { CheckResult, LoadOptions, ReloadAction, ServiceRegistry } from "./registry-types.js";
import { registryView } from "./registry-view.js";
import type { Snapshots } from "./snapshots.js";
import { SourceMemory } from "./source-memory.js";
import { Starts } from "./starts.js";
import { Switches } from "./switches.js";
import type { SyncResult } from "./sync.js";
import { type Service, ServiceTable } from "./table.js";
import { type Trial, Trials } from "./trials.js";
import { Turns } from "./turns.js";
import { changedMeanwhile, hasChanged, importUnchanged } from "./unchanged.js";
import { retire, startVersion, type Version, versionOf } from "./version.js";

export interface RegistryOptions {
  servicesDir: string;
  dataDir: string;
  events: EventBus;
  logs: LogBook;
  dispatcher: Dispatcher;
  /** Tries unknown code elsewhere first; without one, code is loaded untried. */
  checker?: Checker;
  /** Whether to remember on disk what was switched off and which code served; default true. */
  persistent?: boolean;
  initTimeoutMs: number;
  drainTimeoutMs: number;
}

export type Loaded = { name: string; action: "added" | "updated" };

/** What each of a store's steps gets at shutdown when the time for all is used up, in milliseconds. */
const CLOSE_LIMIT_MS = 1000;

export class Registry {
  readonly table: ServiceTable;
  readonly failures: FailureBook;
  readonly switches: Switches | undefined;
  readonly starts = new Starts();
  readonly trials: Trials;
  readonly host: ContextHost;
  readonly #options: RegistryOptions;
  readonly #numbers = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();
  readonly #folders = new Turns(initCycle);
  #closed = false;
  readonly #copies: Copies;
  #snapshots: Snapshots | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const log = options.logs.logger("reef");
    this.table = new ServiceTable(options.dispatcher);
    this.failures = new FailureBook(log);
    this.trials = new Trials(this.table, options.servicesDir, options.checker);
    if (options.persistent !== false) {
      this.switches = new Switches(options.dataDir, log);
    }
    this.#copies = new Copies(this.table, options.servicesDir, () => this.snapshots);
    this.host = {
      events: options.events,
      servicesDir: options.servicesDir,
      dataDir: options.dataDir,
      peer: (name) => this.peer(name),
      modules: () => [...this.table.modules.values()],
      registryFor: (service) => this.view(service),
      dispatch: async (request, { trusted = false } = {}) => {
        if (trusted) options.dispatcher.trust(request);
        return options.dispatcher.fetch(request);
      },
      authenticate: (request) => options.dispatcher.accepts(request),
    };
  }

  /** Requests for a service that is on its way wait until `known` settles. */
  expect(name: string, known: Promise<unknown>, maybeAtRoot: boolean): void {
    this.#options.dispatcher.expect(name, known, maybeAtRoot);
  }

  /** The copies of code that served; undefined when nothing is kept on disk. */
  get snapshots(): Snapshots | undefined {
    const { persistent, dataDir, logs } = this.#options;
    if (persistent === false) return undefined;
    this.#snapshots ??= new (snapshots().Snapshots)(dataDir, logs.logger("reef"));
    return this.#snapshots;
  }

  /** What the folders held when the server started last; undefined when nothing is kept on disk. */
  rememberSources(): SourceMemory | undefined {
    const { persistent, dataDir, logs } = this.#options;
    return persistent === false ? undefined : new SourceMemory(dataDir, logs.logger("reef"));
  }

  get servicesDir(): string {
    return this.#options.servicesDir;
  }

  peer(name: string): Peer | undefined {
    const service = this.table.get(name);
    if (!service) return undefined;
    const { module, generation } = service.current;
    return { module, scope: generation.scope, reloadable: service.dirName !== undefined };
  }

  /** Whether what is asked for here waits for its turn, and may wait for starts: not from within an `init`. */
  get takesTurns(): boolean {
    return !initializing.getStore()?.open;
  }

  /**
   * Runs one change after the other, in the host's context; a failed one does not stop the next. What an `init` asks
   * for is part of the change that runs it: waiting for its turn it would wait for itself.
   */
  enqueue<T>(change: () => Promise<T>): Promise<T> {
    if (!this.takesTurns) return inHost(this.#folders.partOf(change));
    const result = this.#queue.then(() => inHost(change));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs what makes a folder's service come or go, one after the other for each folder: the start of the server is not
   * in the queue, and its slow services may be asked for meanwhile. An `init` that asks for a change which waits for
   * that `init` is refused.
   */
  alone<T>(dirName: string, change: () => Promise<T>): Promise<T> {
    return this.#folders.take(dirName, change);
  }

  /** The registry as one service sees it: the caller's own requests do not hold up its own exchange. */
  view(caller?: string): ServiceRegistry {
    return registryView(this, this.#options, caller);
  }

  /** The folder of a service, loaded or not. Throws a `LoadFailure` when there is none. */
  folderOf(name: string): string {
    return folderOf(this, name);
  }

  /**
   * Loads a folder, or exchanges the running version for the folder's present code, which may have been tried.
   * `imported` is the folder's code as it was a moment ago; it is used or disposed.
   */
  async load(
    dirName: string,
    caller?: string,
    options: LoadOptions = {},
    trial?: Trial,
    imported?: { generation: Generation; source: Source },
  ): Promise<Loaded> {
    assertFolderName(dirName);
    let unused = imported?.generation;
    const importCode = async (source: Source): Promise<Generation> => {
      const { generation } = imported ?? {};
      if (!generation || imported?.source.digest !== source.digest) {
        await breathe();
        return importUnchanged(this, dirName, source);
      }
      unused = undefined;
      return generation;
    };
    try {
      return await this.alone(dirName, async () => {
        const there = imported && this.table.byFolder(dirName);
        // Somebody else has loaded this very code meanwhile.
        if (there && there.current.source?.digest === imported.source.digest) {
          return { name: there.name, action: "updated" };
        }
        return this.#load(dirName, caller, options, trial, importCode);
      });
    } finally {
      await unused?.dispose();
    }
  }

  async #load(
    dirName: string,
    caller: string | undefined,
    options: LoadOptions,
    trial: Trial | undefined,
    importCode: (source: Source) => Promise<Generation>,
  ): Promise<Loaded> {
    if (this.#closed) throw shuttingDown();
    const dir = join(this.servicesDir, dirName);
    const service = this.table.byFolder(dirName);
    let digest: string | undefined;
    try {
      const source = this.#readFolder(dirName);
      digest = source.digest;
      if (options.digest !== undefined && options.digest !== source.digest) throw changedMeanwhile(dirName);
      await breathe();
      await this.trials.finish(dirName, source.digest, trial);
      const action = service ? "updated" : "added";
      const name = service
        ? await changes().exchange(this, service, source, caller, options)
        : await this.admit(await importCode(source), dirName, source, options);
      this.failures.clear(dir);
      this.announce(name, action);
      // Whoever changes the folder after the answer finds the version that is answered for kept.
      await this.keepCopy(name);
      return { name, action };
    } catch (error) {
      const failure = asLoadFailure(error);
      if (failure.code !== "UNKNOWN" && failure.code !== "DISABLED") {
        this.failures.note(service?.name ?? dirName, dir, failure, digest);
        this.announce(service?.name ?? dirName, "failed", failure);
      }
      throw failure;
    }
  }

  #readFolder(dirName: string): Source {
    const dir = join(this.servicesDir, dirName);
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
      throw new LoadFailure("UNKNOWN", "find", `there is no service folder "${dirName}".`);
    }
    if (this.switches?.isDisabled(dirName)) {
      throw new LoadFailure("DISABLED", "find", `"${dirName}" is switched off.`);
    }
    return readSource(dir);
  }

  /** Tells services that the whole folder was gone through, for those that look after other kinds of folders. */
  announceSync(result: SyncResult): void {
    void this.#options.events.emit(SYNC_EVENT, result);
  }

  /** Tells services and streams what has changed; nobody is waited for. */
  announce(
    name: string,
    action: ReloadAction | "failed" | "disabled" | "rolled-back",
    failure?: LoadFailure,
  ): void {
    const data = {
      name,
      action,
      ...(failure && { step: failure.step, code: failure.code, error: failure.message }),
    };
    void this.#options.events.emit(CHANGE_EVENT, data);
  }

  /** Tries a folder's present code elsewhere, known or not. It changes nothing, so it takes no turn in the queue. */
  async check(dirName: string): Promise<CheckResult> {
    assertFolderName(dirName);
    const { digest } = this.#readFolder(dirName);
    await breathe();
    const trial = await this.trials.begin([dirName], true).get(dirName);
    await this.trials.finish(dirName, digest, trial, true);
    const { checker } = this.#options;
    if (checker && this.#readFolder(dirName).digest !== digest) throw changedMeanwhile(dirName);
    checker?.remember(digest);
    return { digest, tried: checker !== undefined };
  }

  importFolder(dirName: string): Promise<Generation> {
    const { logs, initTimeoutMs, dataDir } = this.#options;
    const dir = join(this.servicesDir, dirName);
    return importGeneration({ dir, label: dirName, logs, timeoutMs: initTimeoutMs, dataDir });
  }

  /** Adds a module object, which can be unloaded but not reloaded. */
  async addModule(exported: unknown): Promise<void> {
    await this.admit(wrapModule(exported, this.#options.logs, this.#options.dataDir), undefined, undefined);
  }

  /** Starts an imported generation under its own name, which it returns. On failure it is disposed. */
  async admit(
    generation: Generation,
    dirName: string | undefined,
    source: Source | undefined,
    options: LoadOptions = {},
  ): Promise<string> {
    const { module } = generation;
    let giveUp: (() => void) | undefined;
    try {
      giveUp = this.table.claim(module.name, dirName);
      this.table.assertDependencies(module);
    } catch (error) {
      giveUp?.();
      await generation.dispose();
      throw error;
    }
    try {
      // Nobody served under this name before, so what happens during an asynchronous init is for this version.
      generation.scope.active = true;
      const version = await this.start(generation, source);
      if (options.verify) await changes().verifyVersion(version, options.verify);
      if (this.#closed) {
        await retire(version, { drainMs: 0, flush: true, unaccounted: () => 0 });
        throw shuttingDown();
      }
      this.table.add(version, dirName);
    } finally {
      giveUp();
    }
    if (source) this.rememberGood(source);
    return module.name;
  }

  /**
   * The same in one step, for what has no `init` and whose folder nobody else is about to load: nothing can happen
   * meanwhile. Throws a `LoadFailure`; then the generation is still to be discarded.
   */
  admitAtOnce(generation: Generation, dirName: string, source: Source): void {
    if (this.#closed) throw shuttingDown();
    const { module } = generation;
    this.table.assertFree(module.name);
    this.table.assertDependencies(module);
    this.table.add(
      versionOf(this.#nextNumber(module.name), generation, source, this.#options.dispatcher),
      dirName,
    );
    this.rememberGood(source);
  }

  /** Whether nothing is under way that makes a folder's service come or go. */
  isAlone(dirName: string): boolean {
    return this.#folders.isFree(dirName);
  }

  /** Starts an imported generation as the next version of its service. On failure it is disposed. */
  start(generation: Generation, source: Source | undefined): Promise<Version> {
    const number = this.#nextNumber(generation.module.name);
    const { dispatcher, initTimeoutMs } = this.#options;
    return startVersion(number, generation, source, this.host, dispatcher, initTimeoutMs);
  }

  #nextNumber(name: string): number {
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    return number;
  }

  /** Notes that the code served: it need not be tried again. */
  rememberGood(source: Source): void {
    this.#options.checker?.remember(source.digest);
  }

  /** How long the requests and streams of a version that was exchanged may take, in milliseconds. */
  get drainTimeoutMs(): number {
    return this.#options.drainTimeoutMs;
  }

  /** Keeps copies of the code that serves under these names; see `Copies.keepAll`. */
  keepCopies(names: Iterable<string>): Promise<void> {
    return this.#copies.keepAll(names);
  }

  /** Keeps a copy of the code that serves under this name; resolves at once when there is one. */
  keepCopy(name: string): Promise<void> {
    return this.#copies.keep(name);
  }

  /** Whether a folder's code is no longer the running version's. */
  changed({ dirName, current: { source } }: Service): boolean {
    if (!source || dirName === undefined) return false;
    return hasChanged(join(this.servicesDir, dirName), source);
  }

  /** Tells services that the server ends; nobody is waited for. */
  announceStop(): void {
    void this.#options.events.emit(STOPPING_EVENT, {});
  }

  /**
   * Lets all services go, dependents first, and takes in none after that. All of them together get `drainMs`, and a
   * little more for each store.
   */
  async close(drainMs: number): Promise<void> {
    await this.enqueue(async () => {
      this.#closed = true;
      const deadline = Date.now() + drainMs;
      // Of what has started a moment ago: who is gone cannot be copied.
      await Promise.race([this.keepCopies([]), Bun.sleep(Math.min(drainMs, CLOSE_LIMIT_MS))]);
      const gone: Service[] = [];
      for (const service of this.table.all().reverse()) {
        gone.push(service);
        this.table.remove(service);
        await endOlder(service, deadline - Date.now());
        const left = Math.max(0, deadline - Date.now());
        await retire(service.current, {
          drainMs: left,
          flush: true,
          shutdown: true,
          limitMs: Math.max(CLOSE_LIMIT_MS, left),
          unaccounted: () => this.table.unaccounted(gone),
        });
      }
      await this.keepCopies([]);
    });
  }
}
