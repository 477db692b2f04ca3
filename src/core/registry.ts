/** The registry of running services, and the state that changes to them share. */
import { join } from "node:path";
import { Starts } from "./boot/starts.js";
import { Admission } from "./changes/admission.js";
import { ChangeQueue } from "./changes/queue.js";
import { Switches } from "./changes/switches.js";
import type { SyncResult } from "./changes/sync.js";
import { Trials } from "./checker/trials.js";
import type { Checker } from "./checker.js";
import { Copies } from "./code/copies.js";
import type { Snapshots } from "./code/snapshots.js";
import { SourceCache } from "./code/source-cache.js";
import { hasChanged } from "./code/unchanged.js";
import type { PendingServices } from "./dispatch/pending-services.js";
import type { Dispatcher } from "./dispatch.js";
import type { EventBus } from "./events.js";
import { type Generation, importGeneration, wrapModule } from "./generation.js";
import { registryViews, snapshots } from "./lazy.js";
import type { LoadFailure } from "./load-failure.js";
import type { LogBook, Logger } from "./log.js";
import { FailureBook } from "./registry/failures.js";
import { type Service, ServiceTable } from "./registry/table.js";
import { CHANGE_EVENT, STOPPING_EVENT, SYNC_EVENT } from "./registry-events.js";
import type { ReloadAction, ServiceRegistry } from "./registry-types.js";
import type { ContextHost, Peer } from "./version/context.js";
import { PendingWaits } from "./waiters.js";

/** What a registry is made of. */
export interface RegistryOptions {
  servicesDir: string;
  dataDir: string;
  events: EventBus;
  logs: LogBook;
  dispatcher: Dispatcher;
  /** Tries unknown code in child processes first; without it, code is loaded untried. */
  checker?: Checker;
  /** Whether to persist switches, digests and copies of code; default true. */
  persistent?: boolean;
  initTimeoutMs: number;
  drainTimeoutMs: number;
}

/** Holds running services and everything that operations on them need. */
export class Registry {
  readonly table: ServiceTable;
  readonly failures: FailureBook;
  readonly switches: Switches | undefined;
  readonly starts = new Starts();
  /** Resolves once the start of the server is over. */
  readonly started = Promise.withResolvers<void>();
  readonly trials: Trials;
  readonly admission: Admission;
  readonly copies: Copies;
  readonly host: ContextHost;
  readonly log: Logger;
  readonly queue = new ChangeQueue();
  readonly #options: RegistryOptions;
  readonly #waits = new PendingWaits();
  #snapshots: Snapshots | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { checker, dataDir, dispatcher, events, initTimeoutMs, servicesDir } = options;
    const log = options.logs.logger("reef");
    this.log = log;
    const table = new ServiceTable(dispatcher);
    this.table = table;
    this.failures = new FailureBook(log);
    this.trials = new Trials(table, servicesDir, checker);
    if (options.persistent !== false) this.switches = new Switches(dataDir, log);
    this.copies = new Copies(table, servicesDir, () => this.snapshots);
    this.host = {
      events,
      servicesDir,
      dataDir,
      peer: (name) => this.peer(name),
      modules: () => [...table.modules.values()],
      registryFor: (service) => this.view(service),
      dispatch: async (request, { trusted = false } = {}) => {
        if (!(request instanceof Request)) {
          throw new TypeError(
            'ctx.dispatch requires a Request, such as new Request("http://localhost/board")',
          );
        }
        if (trusted) dispatcher.trust(request);
        return dispatcher.fetch(request);
      },
      authenticate: (request) => dispatcher.accepts(request),
    };
    const { host } = this;
    const waits = this.#waits;
    this.admission = new Admission({ table, host, dispatcher, checker, initTimeoutMs, waits });
  }

  /** Services that are still being started; requests for them wait. */
  get pending(): PendingServices {
    return this.#options.dispatcher.pending;
  }

  /** Copies of code that served; undefined when nothing is persisted. */
  get snapshots(): Snapshots | undefined {
    const { persistent, dataDir } = this.#options;
    if (persistent === false) return undefined;
    this.#snapshots ??= new (snapshots().Snapshots)(dataDir, this.log);
    return this.#snapshots;
  }

  /** Opens the cache of folder digests; undefined when nothing is persisted. */
  openSourceCache(): SourceCache | undefined {
    const { persistent, dataDir } = this.#options;
    return persistent === false ? undefined : new SourceCache(dataDir, this.log);
  }

  get servicesDir(): string {
    return this.#options.servicesDir;
  }

  /** Tries unknown code; undefined when code is loaded untried. */
  get checker(): Checker | undefined {
    return this.#options.checker;
  }

  /** A running service, as other services may use it. */
  peer(name: string): Peer | undefined {
    const service = this.table.get(name);
    if (!service) return undefined;
    const { module, generation } = service.current;
    return { module, scope: generation.scope, reloadable: service.dirName !== undefined };
  }

  /** The registry as one service sees it. The caller's own requests do not delay its own exchange. */
  view(caller?: string): ServiceRegistry {
    return registryViews().registryView(this, this.#options, caller);
  }

  /** Announces a sync to services, for those that handle other kinds of folders. Does not wait. */
  announceSync(result: SyncResult): void {
    void this.#options.events.emit(SYNC_EVENT, result);
  }

  /** Announces a change to services. Does not wait. */
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

  /** Imports a folder's current code, untried and without starting it. Rejects with a `LoadFailure`. */
  importFolder(dirName: string): Promise<Generation> {
    const { logs, initTimeoutMs, dataDir } = this.#options;
    const dir = join(this.servicesDir, dirName);
    const waits = this.#waits;
    return importGeneration({ dir, label: dirName, logs, timeoutMs: initTimeoutMs, dataDir, waits });
  }

  /** Adds a module object, which can be unloaded but not reloaded. */
  async addModule(exported: unknown): Promise<void> {
    const { logs, dataDir } = this.#options;
    await this.admission.admit(wrapModule(exported, logs, dataDir), undefined, undefined);
  }

  /** How long requests and streams of a replaced version may take, in milliseconds. */
  get drainTimeoutMs(): number {
    return this.#options.drainTimeoutMs;
  }

  /** Whether a service's folder has changed since the running version was loaded. */
  changed({ dirName, current: { source } }: Service): boolean {
    if (!source || dirName === undefined) return false;
    return hasChanged(join(this.servicesDir, dirName), source);
  }

  /** Announces the end of the server to services. Does not wait. */
  announceStop(): void {
    void this.#options.events.emit(STOPPING_EVENT, {});
  }
}
