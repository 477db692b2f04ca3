/** The table of running services. */

import { cycleThrough, dependentsOf, type Node, orderByDependencies } from "../boot/order.js";
import { type Dispatcher, Mount } from "../dispatch.js";
import { dependencyCycle, LoadFailure, missingDependency } from "../load-failure.js";
import type { GenerationInfo, ServiceInfo } from "../registry-types.js";
import type { ServiceModule } from "../types.js";
import type { Draining } from "../version/draining.js";
import type { Version } from "../version.js";

/** A service name and the version that serves it. */
export interface Service {
  readonly name: string;
  /** The folder below the services folder; undefined for module objects. */
  readonly dirName: string | undefined;
  readonly mount: Mount;
  current: Version;
  /** Replaced versions that still answer requests or streams. */
  readonly draining: Map<Version, Draining>;
}

type Dependent = Pick<ServiceModule, "name" | "dependencies">;

interface Claim extends Node {
  dirName: string | undefined;
}

/** Maps names and folders to running services, and mounts them in the dispatcher. */
export class ServiceTable {
  /** The loaded modules by name, as services see them. */
  readonly modules = new Map<string, ServiceModule>();
  readonly #services = new Map<string, Service>();
  readonly #byFolder = new Map<string, Service>();
  /** Services that are being started, by their future names. */
  readonly #claims = new Map<string, Claim>();
  readonly #dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  get(name: string): Service | undefined {
    return this.#services.get(name);
  }

  byFolder(dirName: string): Service | undefined {
    return this.#byFolder.get(dirName);
  }

  /** All services in load order. */
  all(): Service[] {
    return [...this.#services.values()];
  }

  /** All services, dependents before their dependencies, otherwise the latest first. */
  dependentsFirst(): Service[] {
    const { ordered, cyclic, missing } = orderByDependencies(this.#serving(), new Set());
    const rest = [...cyclic, ...missing].map(({ node }) => node);
    return [...ordered, ...rest].reverse().flatMap(({ name }) => this.#services.get(name) ?? []);
  }

  /** Makes a started version reachable under its name. */
  add(version: Version, dirName: string | undefined): void {
    const { module, serving } = version;
    const mount = new Mount(module.name, serving, module.requiresAuth !== false);
    const service: Service = { name: module.name, dirName, mount, current: version, draining: new Map() };
    this.#services.set(service.name, service);
    if (dirName !== undefined) this.#byFolder.set(dirName, service);
    this.#publish(service, version);
  }

  /** Directs requests and events to `fresh` instead of the current version. */
  swap(service: Service, fresh: Version): void {
    service.current.generation.scope.active = false;
    this.#dispatcher.remove(service.mount);
    service.current = fresh;
    this.#publish(service, fresh);
  }

  #publish({ name, mount }: Service, { generation, module, serving }: Version): void {
    generation.scope.active = true;
    mount.serving = serving;
    mount.requiresAuth = module.requiresAuth !== false;
    mount.app = module.mountAtRoot ? module.routes : undefined;
    this.modules.set(name, module);
    if (module.routes) this.#dispatcher.add(mount);
  }

  remove(service: Service): void {
    this.#services.delete(service.name);
    const { dirName } = service;
    if (dirName !== undefined && this.#byFolder.get(dirName) === service) this.#byFolder.delete(dirName);
    this.modules.delete(service.name);
    this.#dispatcher.remove(service.mount);
  }

  /**
   * Reserves a name for a service that is being started, and keeps its dependencies from being removed. Returns
   * the function that releases the claim. Throws like `assertFree`.
   */
  claim({ name, dependencies = [] }: Dependent, dirName: string | undefined): () => void {
    this.assertFree(name);
    this.#claims.set(name, { name, dependencies, dirName });
    return () => this.#claims.delete(name);
  }

  /** @throws LoadFailure `DUPLICATE_NAME` when a service has, or is about to have, this name. */
  assertFree(name: string): void {
    const taken = this.#services.get(name) ?? this.#claims.get(name);
    if (!taken) return;
    const by = taken.dirName === undefined ? "a module passed as an object" : `folder "${taken.dirName}"`;
    throw new LoadFailure("DUPLICATE_NAME", "order", `the name "${name}" is already used by ${by}.`);
  }

  /** @throws LoadFailure when a dependency is missing, or would create a cycle. */
  assertDependencies(module: Dependent): void {
    const { name, dependencies = [] } = module;
    if (dependencies.length === 0) return;
    const missing = dependencies.filter((need) => !this.#services.has(need) && need !== name);
    if (missing.length > 0) throw missingDependency(name, missing);
    const others = new Map(this.#nodes().map((node) => [node.name, node]));
    const cycle = cycleThrough({ name, dependencies }, others);
    if (cycle) throw dependencyCycle(cycle);
  }

  #nodes(): Node[] {
    return [...this.#serving(), ...this.#claims.values()];
  }

  #serving(): Node[] {
    return [...this.modules.values()].map(({ name, dependencies = [] }) => ({ name, dependencies }));
  }

  /** The names of all direct and indirect dependents. */
  dependents(name: string): string[] {
    return dependentsOf(name, this.#nodes());
  }

  /** The folders of these services and all their dependencies, in start order. */
  startOrder(names: readonly string[]): string[] {
    const folders = new Set<string>();
    const visited = new Set<string>();
    const visit = (name: string) => {
      const service = this.#services.get(name);
      if (!service || visited.has(name)) return;
      visited.add(name);
      for (const need of service.current.module.dependencies ?? []) visit(need);
      if (service.dirName !== undefined) folders.add(service.dirName);
    };
    for (const name of names) visit(name);
    return [...folders];
  }

  /**
   * The number of replies in transit that no version tracks; see `Dispatcher.untrackedReplies`. `gone` are
   * removed services that may still be answering.
   */
  untrackedReplies(gone: readonly Service[]): number {
    let active = 0;
    let streams = 0;
    for (const { current, draining } of [...this.#services.values(), ...gone]) {
      for (const { serving } of [current, ...draining.keys()]) {
        active += serving.active;
        streams += serving.streams.size;
      }
    }
    return this.#dispatcher.untrackedReplies(active, streams);
  }

  info({ name, dirName, current, draining }: Service): ServiceInfo {
    const serving = generationInfo(current, "serving");
    const { generation, digest, loadedAt, ledger } = serving;
    const older = [...draining.keys()].reverse().map((version) => generationInfo(version, "draining"));
    return {
      name,
      dirName,
      state: "loaded",
      generation,
      digest,
      loadedAt,
      module: current.module,
      draining: draining.size,
      ledger,
      generations: [serving, ...older],
    };
  }
}

function generationInfo(version: Version, state: GenerationInfo["state"]): GenerationInfo {
  const { number, serving, source, loadedAt } = version;
  const { scope } = version.generation;
  return {
    generation: number,
    digest: source?.digest,
    loadedAt: loadedAt.toISOString(),
    state,
    ledger: {
      requests: serving.active,
      streams: serving.streams.size,
      handlers: scope.handlers,
      timers: scope.timers,
      disposers: scope.disposers,
      processListeners: scope.processListeners,
      served: serving.served,
      errors: serving.errors,
      lateErrors: scope.lateErrors,
      ageMs: Date.now() - loadedAt.getTime(),
    },
  };
}
