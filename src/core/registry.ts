/** Name → running version. Every change goes through one queue, so that two of them never race. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Checker } from "./checker.js";
import type { ContextHost, Peer } from "./context.js";
import { contentDigest, fingerprint } from "./digest.js";
import { asLoadFailure, scanServices } from "./discover.js";
import { type Dispatcher, Mount } from "./dispatch.js";
import { messageOf } from "./errors.js";
import type { EventBus } from "./events.js";
import { FailureBook } from "./failures.js";
import { type Generation, importGeneration, wrapModule } from "./generation.js";
import { LoadFailure } from "./load-failure.js";
import type { LogBook } from "./log.js";
import { assertFolderName } from "./names.js";
import { dependentsOf, orderByDependencies } from "./order.js";
import type { ReloadAction, ServiceInfo, ServiceRegistry } from "./registry-types.js";
import type { ServiceModule } from "./types.js";
import { flushStore, retire, type Source, startVersion, type Version } from "./version.js";

export interface RegistryOptions {
  servicesDir: string;
  dataDir: string;
  events: EventBus;
  logs: LogBook;
  dispatcher: Dispatcher;
  /** Tries unknown code elsewhere first; without one, code is loaded untried. */
  checker?: Checker;
  initTimeoutMs: number;
  drainTimeoutMs: number;
}

/** A name and what serves it now. */
interface Service {
  name: string;
  dirName: string | undefined;
  mount: Mount;
  current: Version;
  draining: Set<Version>;
}

/** How long an exchange waits for handlers in flight before it goes on without them, in milliseconds. */
const PAUSE_LIMIT_MS = 2000;

export class Registry {
  /** The loaded modules by name, as the contract shows them. */
  readonly liveModules = new Map<string, ServiceModule>();
  readonly failures: FailureBook;
  readonly #options: RegistryOptions;
  readonly #services = new Map<string, Service>();
  readonly #host: ContextHost;
  readonly #numbers = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.failures = new FailureBook(options.logs.logger("reef"));
    this.#host = {
      events: options.events,
      servicesDir: options.servicesDir,
      dataDir: options.dataDir,
      peer: (name) => this.#peer(name),
      modules: () => [...this.liveModules.values()],
      registryFor: (service) => this.view(service),
      dispatch: async (request) => options.dispatcher.fetch(request),
    };
  }

  get host(): ContextHost {
    return this.#host;
  }

  #peer(name: string): Peer | undefined {
    const service = this.#services.get(name);
    if (!service) return undefined;
    const { module, generation } = service.current;
    return { module, scope: generation.scope, reloadable: service.dirName !== undefined };
  }

  /** Runs one change after the other; a failed one does not stop the next. */
  enqueue<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** The registry as one service sees it. */
  view(caller?: string): ServiceRegistry {
    return {
      list: () => this.list(),
      get: (name) => this.list().find((info) => info.name === name),
      failures: () => this.failures.list(),
      load: (dirName) => this.enqueue(() => this.load(dirName, caller)),
      reload: (name) => this.enqueue(() => this.load(this.#folderOf(name), caller)),
      sync: () => this.enqueue(() => this.sync(caller)),
      unload: (name, options) => this.enqueue(() => this.unload(name, options?.force ?? false, caller)),
    };
  }

  #folderOf(name: string): string {
    const service = this.#services.get(name);
    if (service && service.dirName === undefined) {
      throw new LoadFailure(
        "PROTECTED",
        "find",
        `"${name}" was handed over as an object and cannot be reloaded.`,
      );
    }
    if (service?.dirName) return service.dirName;
    const failed = this.failures.list().find((failure) => failure.name === name);
    if (failed) return failed.dir.slice(failed.dir.lastIndexOf("/") + 1);
    assertFolderName(name);
    if (existsSync(join(this.#options.servicesDir, name))) return name;
    throw new LoadFailure("UNKNOWN", "find", `no service and no folder is called "${name}".`);
  }

  list(): ServiceInfo[] {
    const infos: ServiceInfo[] = [...this.#services.values()].map((service) => this.#info(service));
    for (const failure of this.failures.list()) {
      const known = infos.find(
        (info) => info.dirName !== undefined && failure.dir.endsWith(`/${info.dirName}`),
      );
      if (known) known.failure = failure;
      else {
        const dirName = failure.dir.slice(failure.dir.lastIndexOf("/") + 1);
        infos.push({ name: failure.name, dirName, state: "failed", failure, draining: 0 });
      }
    }
    return infos;
  }

  #info(service: Service): ServiceInfo {
    const { current } = service;
    const { scope } = current.generation;
    return {
      name: service.name,
      dirName: service.dirName,
      state: "loaded",
      generation: current.number,
      digest: current.source?.digest,
      loadedAt: current.loadedAt.toISOString(),
      module: current.module,
      draining: service.draining.size,
      ledger: {
        requests: current.serving.active,
        streams: current.serving.streams.size,
        handlers: scope.handlers,
        timers: scope.timers,
        disposers: scope.disposers,
        processListeners: scope.processListeners,
        served: current.serving.served,
        errors: current.serving.errors,
        lateErrors: scope.lateErrors,
        ageMs: Date.now() - current.loadedAt.getTime(),
      },
    };
  }

  /** Loads a folder, or exchanges the running version for its present code. */
  async load(dirName: string, caller?: string): Promise<{ name: string; action: "added" | "updated" }> {
    assertFolderName(dirName);
    const dir = join(this.#options.servicesDir, dirName);
    try {
      if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
        throw new LoadFailure("UNKNOWN", "find", `there is no service folder "${dirName}".`);
      }
      const source = readSource(dir);
      const service = [...this.#services.values()].find((candidate) => candidate.dirName === dirName);
      await this.#try(dirName, source);
      const name = service
        ? await this.#exchange(service, dir, source, caller)
        : await this.#add(dirName, dir, source);
      this.failures.clear(dir);
      return { name, action: service ? "updated" : "added" };
    } catch (error) {
      const failure = asLoadFailure(error);
      if (failure.code !== "UNKNOWN") this.failures.note(this.#nameOf(dirName), dir, failure);
      throw failure;
    }
  }

  #nameOf(dirName: string): string {
    for (const service of this.#services.values()) if (service.dirName === dirName) return service.name;
    return dirName;
  }

  /** Has unknown code tried out in a child process, with the services it depends on. */
  async #try(dirName: string, source: Source): Promise<void> {
    const { checker } = this.#options;
    if (!checker || checker.knows(source.digest)) return;
    const facts = await checker.import(dirName);
    if (!facts.hasInit) return;
    const needed = facts.dependencies.flatMap((name) => this.#withDependencies(name));
    await checker.start([...new Set(needed), dirName]);
  }

  /** The folders that must be started before and including the service `name`. */
  #withDependencies(name: string): string[] {
    const service = this.#services.get(name);
    if (!service) return [];
    const own = service.dirName === undefined ? [] : [service.dirName];
    return [
      ...(service.current.module.dependencies ?? []).flatMap((next) => this.#withDependencies(next)),
      ...own,
    ];
  }

  async #add(dirName: string, dir: string, source: Source): Promise<string> {
    const generation = await this.importFolder(dir, dirName);
    await this.admit(generation, dirName, source);
    return generation.module.name;
  }

  importFolder(dir: string, dirName: string): Promise<Generation> {
    return importGeneration(dir, dirName, this.#options.logs, this.#options.initTimeoutMs);
  }

  /** Adds a module object, which can be unloaded but not reloaded. */
  async addModule(exported: unknown): Promise<void> {
    await this.admit(wrapModule(exported, this.#options.logs), undefined, undefined);
  }

  /** Starts an imported generation under its own name. On failure it is disposed. */
  async admit(
    generation: Generation,
    dirName: string | undefined,
    source: Source | undefined,
  ): Promise<void> {
    const { module } = generation;
    try {
      this.#assertNameIsFree(module.name);
      this.#assertDependencies(module);
    } catch (error) {
      await generation.dispose();
      throw error;
    }
    const current = await this.#start(generation, source);
    const mount = new Mount(module.name, current.serving, module.requiresAuth !== false);
    if (module.mountAtRoot) mount.app = module.routes;
    const service: Service = { name: module.name, dirName, mount, current, draining: new Set() };
    current.generation.scope.active = true;
    this.#services.set(service.name, service);
    this.liveModules.set(service.name, module);
    if (module.routes) this.#options.dispatcher.add(mount);
    if (source) this.#options.checker?.remember(source.digest);
  }

  #assertNameIsFree(name: string): void {
    const taken = this.#services.get(name);
    if (!taken) return;
    const by =
      taken.dirName === undefined ? "a module handed over as an object" : `folder "${taken.dirName}"`;
    throw new LoadFailure("DUPLICATE_NAME", "order", `the name "${name}" is taken by ${by}.`);
  }

  #assertDependencies(module: ServiceModule): void {
    const needs = (module.dependencies ?? []).filter(
      (name) => !this.#services.has(name) || name === module.name,
    );
    if (needs.length > 0) {
      const list = needs.map((name) => `"${name}"`).join(", ");
      throw new LoadFailure("MISSING_DEPENDENCY", "order", `Missing dependency ${list} of "${module.name}".`);
    }
    const nodes = [...this.liveModules.values()]
      .filter((live) => live.name !== module.name)
      .concat(module)
      .map(({ name, dependencies = [] }) => ({ name, dependencies }));
    const { cyclic } = orderByDependencies(nodes, new Set());
    const found = cyclic.find(({ node }) => node.name === module.name);
    if (found)
      throw new LoadFailure("DEPENDENCY_CYCLE", "order", `dependency cycle: ${found.cycle.join(" → ")}.`);
  }

  #start(generation: Generation, source: Source | undefined): Promise<Version> {
    const { name } = generation.module;
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    const { dispatcher, initTimeoutMs } = this.#options;
    return startVersion(number, generation, source, this.#host, dispatcher, initTimeoutMs);
  }

  /**
   * Requests and events wait while the old version finishes what it has begun and saves, and the new one is
   * imported and started: so its store reads everything that was acknowledged. Until the swap at the end
   * anything that fails leaves the old version serving.
   */
  async #exchange(service: Service, dir: string, source: Source, caller?: string): Promise<string> {
    const old = service.current;
    const oldScope = old.generation.scope;
    const { promise: reopened, resolve: reopen } = Promise.withResolvers<void>();
    service.mount.gate = reopened;
    oldScope.paused = reopened;
    try {
      await old.serving.whenIdle(PAUSE_LIMIT_MS, caller === service.name ? 1 : 0);
      await this.#save(old);
      const generation = await this.importFolder(dir, service.dirName ?? service.name);
      const fresh = await this.#startAs(service, generation, source);
      this.#swap(service, fresh);
    } finally {
      service.mount.gate = undefined;
      oldScope.paused = undefined;
      reopen();
    }
    this.#options.checker?.remember(source.digest);
    service.draining.add(old);
    void this.#retire(old, this.#options.drainTimeoutMs, false).finally(() => service.draining.delete(old));
    return service.name;
  }

  async #save(version: Version): Promise<void> {
    try {
      await flushStore(version);
    } catch (error) {
      const message = `the running version of "${version.module.name}" could not save its store: ${messageOf(error)}`;
      throw new LoadFailure("FLUSH_FAILED", "swap", message, { cause: error });
    }
  }

  async #startAs(service: Service, generation: Generation, source: Source): Promise<Version> {
    const { module } = generation;
    try {
      if (module.name !== service.name) {
        throw new LoadFailure(
          "RENAMED",
          "order",
          `the folder's service is now called "${module.name}", it was "${service.name}".`,
        );
      }
      this.#assertDependencies(module);
    } catch (error) {
      await generation.dispose();
      throw error;
    }
    return this.#start(generation, source);
  }

  #swap(service: Service, fresh: Version): void {
    const { dispatcher } = this.#options;
    service.current.generation.scope.active = false;
    fresh.generation.scope.active = true;
    service.current = fresh;
    this.liveModules.set(service.name, fresh.module);
    const { mount } = service;
    dispatcher.remove(mount);
    mount.serving = fresh.serving;
    mount.requiresAuth = fresh.module.requiresAuth !== false;
    mount.app = fresh.module.mountAtRoot ? fresh.module.routes : undefined;
    if (fresh.module.routes) dispatcher.add(mount);
  }

  #retire(version: Version, drainMs: number, flush: boolean): Promise<void> {
    return retire(version, { drainMs, flush, unaccounted: () => this.#unaccounted() });
  }

  #unaccounted(): number {
    let active = 0;
    let streams = 0;
    for (const { current, draining } of this.#services.values()) {
      for (const { serving } of [current, ...draining]) {
        active += serving.active;
        streams += serving.streams.size;
      }
    }
    return this.#options.dispatcher.unaccounted(active, streams);
  }

  async unload(name: string, force: boolean, caller?: string): Promise<void> {
    const service = this.#services.get(name);
    if (!service) throw new LoadFailure("UNKNOWN", "find", `no service is called "${name}".`);
    if (name === caller) throw new LoadFailure("PROTECTED", "find", `"${name}" cannot remove itself.`);
    const nodes = [...this.liveModules.values()].map((m) => ({
      name: m.name,
      dependencies: m.dependencies ?? [],
    }));
    const dependents = dependentsOf(name, nodes);
    if (dependents.length > 0 && !force) {
      throw new LoadFailure(
        "IN_USE",
        "order",
        `"${name}" is needed by ${dependents.map((d) => `"${d}"`).join(", ")}.`,
      );
    }
    this.#services.delete(name);
    this.liveModules.delete(name);
    this.#options.dispatcher.remove(service.mount);
    await this.#retire(service.current, PAUSE_LIMIT_MS, true);
  }

  /** Adds, updates and removes until memory matches the services folder; unchanged services are left alone. */
  async sync(caller?: string) {
    const results: Array<{ name: string; action: ReloadAction }> = [];
    const errors: Array<{ dir: string; error: string }> = [];
    const { candidates, failures } = scanServices(this.#options.servicesDir);
    const found = new Map(candidates.map((candidate) => [candidate.dirName, candidate]));
    for (const { dirName, dir, failure } of failures) {
      this.failures.note(dirName, dir, failure);
      errors.push({ dir: dirName, error: failure.message });
    }
    this.failures.keepOnly([...found.values(), ...failures].map(({ dir }) => dir));
    for (const service of [...this.#services.values()].reverse()) {
      if (service.dirName === undefined || found.has(service.dirName) || service.name === caller) continue;
      await this.unload(service.name, true);
      results.push({ name: service.name, action: "removed" });
    }
    const pending = [...this.#services.values()]
      .flatMap((service) =>
        service.dirName && found.delete(service.dirName) && this.#changed(service) ? [service.dirName] : [],
      )
      .concat([...found.keys()]);
    // Whoever lacks a dependency may find it loaded in the next round.
    let remaining = pending;
    for (let before = -1; remaining.length !== before && remaining.length > 0; ) {
      before = remaining.length;
      const again: Array<{ dirName: string; failure: LoadFailure }> = [];
      for (const dirName of remaining) {
        try {
          results.push(await this.load(dirName, caller));
        } catch (error) {
          const failure = asLoadFailure(error);
          if (failure.code === "MISSING_DEPENDENCY") again.push({ dirName, failure });
          else errors.push({ dir: dirName, error: failure.message });
        }
      }
      remaining = again.map(({ dirName }) => dirName);
      if (remaining.length === before || remaining.length === 0) {
        errors.push(...again.map(({ dirName, failure }) => ({ dir: dirName, error: failure.message })));
      }
    }
    return { results, errors };
  }

  #changed(service: Service): boolean {
    const { source } = service.current;
    if (!source || !service.dirName) return false;
    const dir = join(this.#options.servicesDir, service.dirName);
    const now = fingerprint(dir);
    if (now.text === source.fingerprint.text && !source.fingerprint.fresh) return false;
    return contentDigest(dir) !== source.digest;
  }

  /** Lets all services go, dependents first. */
  async close(drainMs: number): Promise<void> {
    await this.enqueue(async () => {
      const versions = [...this.#services.values()].reverse().map((service) => service.current);
      this.#services.clear();
      for (const version of versions) await this.#retire(version, drainMs, true);
      this.liveModules.clear();
    });
  }
}

/** What a folder holds now; taken before it is imported, so that a later change shows. */
export function readSource(dir: string): Source {
  return { fingerprint: fingerprint(dir), digest: contentDigest(dir) };
}
