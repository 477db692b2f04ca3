/** The broker: loads plugins, registers methods of service modules, and dispatches calls between them. */
import { mkdirSync, realpathSync } from "node:fs";
import { holds } from "../core/code/code-files.js";
import { contentDigest } from "../core/code/digest.js";
import { KeyedMutex } from "../core/keyed-mutex.js";
import type { Json } from "../core/types.js";
import { CallDispatcher } from "./calls/dispatcher.js";
import type { LocalMethod } from "./calls/local.js";
import { TimerWheel } from "./calls/timer-wheel.js";
import { type BrokerTool, type ProviderInfo, toolsOf } from "./catalogue.js";
import { type CallOptions, clientOf, type ServiceClient } from "./client.js";
import { CodeCopies } from "./code-copies.js";
import { type Dispatch, trustedContext } from "./context.js";
import { BrokerError } from "./errors.js";
import { WorkerFactory } from "./factory.js";
import { type BrokerLimits, DEFAULT_LIMITS } from "./limits.js";
import { OPERATOR_ID, type PluginManifest, readManifest } from "./manifest.js";
import type { Party } from "./permissions/check.js";
import { realPathAsFarAsPossible } from "./permissions/paths.js";
import { intersect, type Permissions } from "./permissions/set.js";
import { WorkerPool } from "./pool/pool.js";
import type { WorkerInfo } from "./pool/slot.js";
import { Providers } from "./providers.js";
import { detectEnforcement, type EnforcementLevel, type EnforcementMode } from "./sandbox/level.js";
import { Requests } from "./session/requests.js";
import { WorkerSessions } from "./session/workers.js";
import type { EventSink, LogSink, PluginStorage } from "./sinks.js";

/** Options of a {@link Broker}. Everything but the sinks and folders has a default. */
export interface BrokerOptions {
  log: LogSink;
  events: EventSink;
  /** The folder for a plugin's own data (`$EXTENSION_SUPPORT`). */
  supportFolder(pluginId: string): string;
  /** The folder for the copies of plugins' code that workers run. Used exclusively, also across restarts. */
  codeFolder: string;
  storage?: PluginStorage;
  limits?: Partial<BrokerLimits>;
  /** What happens where the machine cannot enforce permissions; default `"scoped"`. */
  enforcement?: EnforcementMode;
  /** Replaces the detection of what the machine can enforce; for tests. */
  detect?(): Promise<EnforcementLevel>;
  /** The environment that `env` permissions select from; default that of this process. */
  environment?: Readonly<Record<string, string | undefined>>;
}

const OPERATOR = trustedContext(OPERATOR_ID);

/**
 * Finds methods, validates input and output, computes permissions, and runs calls in this process or in a
 * confined worker.
 *
 * @example
 * ```ts
 * const supportFolder = (id: string) => `/data/plugins/${id}`;
 * const broker = new Broker({ log, events, supportFolder, codeFolder: "/data/plugin-code" });
 * await broker.load("/services/math-plugin");
 * await broker.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 }); // { result: 8 }
 * ```
 */
export class Broker {
  /** The limits in effect. */
  readonly limits: BrokerLimits;
  /** @internal */
  readonly wheel = new TimerWheel();
  /** @internal */
  readonly factory: WorkerFactory;
  readonly #providers = new Providers();
  readonly #copies: CodeCopies;
  /** Per folder, so that the version read last is the one that serves. */
  readonly #loads = new KeyedMutex();
  readonly #calls: CallDispatcher;
  readonly #pool: WorkerPool;
  readonly #events: EventSink;
  readonly #supportFolder: (pluginId: string) => string;
  readonly #mode: EnforcementMode;
  readonly #detect: () => Promise<EnforcementLevel>;
  #closed = false;

  constructor(options: BrokerOptions) {
    const { log, events, storage = null, environment = process.env } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.limits = limits;
    this.#events = events;
    this.#supportFolder = (id) => options.supportFolder(id);
    this.#copies = new CodeCopies(options.codeFolder);
    this.#mode = options.enforcement ?? "scoped";
    this.#detect = options.detect ?? detectEnforcement;
    const factory = new WorkerFactory(limits, this.#mode, this.#detect, environment);
    this.factory = factory;
    const searchPath = environment.PATH ?? "/usr/bin:/bin";
    const dispatch: Dispatch = (...call) => this.#calls.dispatch(...call);
    const requests = new Requests({ limits, factory, events, storage, searchPath, dispatch });
    const sessions = new WorkerSessions(this.#providers, factory, requests, log, events);
    this.#pool = new WorkerPool(limits, sessions);
    this.#calls = new CallDispatcher(limits, this.#providers, events, sessions, this.wheel, this.#pool);
  }

  /**
   * Loads a plugin folder and makes its methods callable. Replaces an earlier version of the same plugin, whose
   * running calls finish on their old workers. Workers run a copy of the code, so later changes of the folder
   * have no effect until it is loaded again. Rejects with a `ManifestError`; a `BrokerError` when the plugin
   * must not run on this machine; a `LoadFailure` when it is too large; and a `StorageError` when it cannot be
   * copied.
   */
  async load(folder: string): Promise<PluginManifest> {
    const root = realpathSync(folder);
    const plugin = await this.#loads.runExclusive(root, () => this.#load(root));
    // Emitted outside of the mutex: a listener may load the plugin again.
    this.#events.emit({ type: "broker.loaded", pluginId: plugin.id, time: new Date().toISOString() });
    return plugin;
  }

  async #load(root: string): Promise<PluginManifest> {
    const digest = contentDigest(root);
    const manifest = this.readPlugin(root);
    await this.factory.confines(manifest);
    const plugin = { ...manifest, code: await this.#copies.make(root, digest) };
    try {
      if (this.#closed) throw new BrokerError("unavailable", "the broker is closing");
      this.#makeSupportFolder(plugin);
      this.#providers.addPlugin(plugin)?.code.release();
    } catch (error) {
      plugin.code.release();
      throw error;
    }
    this.#pool.drain((serviceKey) => serviceKey.startsWith(`${plugin.id}/`));
    return plugin;
  }

  /** Creates a plugin's data folder if its permissions name it: access to a missing folder cannot be granted. */
  #makeSupportFolder(plugin: PluginManifest): void {
    const folder = realPathAsFarAsPossible(this.#supportFolder(plugin.id));
    const scopes = [plugin.permissions["fs-read"], plugin.permissions["fs-write"]];
    const rules = scopes.flatMap((scope) => scope?.allow.flat() ?? []);
    if (rules.some((rule) => holds(folder, rule))) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  /** Reads and validates a plugin folder without loading it. */
  readPlugin(folder: string): PluginManifest {
    return readManifest(folder, this.#supportFolder);
  }

  /** Whether a plugin of this name is loaded. */
  hasPlugin(pluginId: string): boolean {
    return this.#providers.plugin(pluginId) !== undefined;
  }

  /** Unloads a plugin. Running calls finish. Returns whether it was loaded. */
  unload(pluginId: string): boolean {
    const plugin = this.#providers.removePlugin(pluginId);
    if (!plugin) return false;
    plugin.code.release();
    this.#pool.drain((serviceKey) => serviceKey.startsWith(`${pluginId}/`));
    this.#events.emit({ type: "broker.unloaded", pluginId, time: new Date().toISOString() });
    return true;
  }

  /**
   * Makes methods of this process callable under `owner`. They are trusted and run in this process. A plugin of
   * the same name is unloaded. Returns the function that removes them.
   */
  registerLocal(owner: string, service: string, methods: Record<string, LocalMethod>): () => void {
    this.unload(owner);
    return this.#providers.addLocal(owner, service, methods);
  }

  /**
   * Calls a method with the rights of a trusted caller: an operator or a service module. Rejects with a {@link
   * BrokerError}.
   */
  call<Result = Json>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options: CallOptions & { caller?: string } = {},
  ): Promise<Result> {
    const context = options.caller === undefined ? OPERATOR : trustedContext(options.caller);
    return this.#calls.dispatch(context, pluginId, service, method, { input }, options) as Promise<Result>;
  }

  /**
   * A typed client for one service, with the rights of a trusted caller. Positional arguments are mapped to the
   * properties of the input schema in order.
   */
  createServiceClient<T>(
    pluginId: string,
    service: string,
    options: CallOptions & { caller?: string } = {},
  ): ServiceClient<T> {
    const context = options.caller === undefined ? OPERATOR : trustedContext(options.caller);
    return clientOf<T>((method, args) =>
      this.#calls.dispatch(context, pluginId, service, method, { args }, options),
    );
  }

  /**
   * The permissions that a caller and a callee have together. Service modules are trusted. Throws `not_found`
   * for unknown identifiers.
   */
  effectivePermissions(callerId: string, calleeId: string): Permissions {
    return intersect(
      this.#providers.party(callerId).permissions,
      this.#providers.party(calleeId).permissions,
    );
  }

  /** The permissions of two parties, and those that they have together. */
  explainPermissions(callerId: string, calleeId: string): { parties: Party[]; effective: Permissions } {
    const parties = [callerId, calleeId].map((id): Party => {
      const { permissions } = this.#providers.party(id);
      return { id, permissions };
    });
    return { parties, effective: this.effectivePermissions(callerId, calleeId) };
  }

  /** What this machine can enforce, and what the operator chose for when it cannot. */
  async enforcement(): Promise<EnforcementLevel & { mode: EnforcementMode }> {
    return { ...(await this.#detect()), mode: this.#mode };
  }

  /** All plugins and service modules with their methods and counters. */
  describe(): ProviderInfo[] {
    return this.#providers.describe();
  }

  /** The workers and their states. */
  workers(): WorkerInfo[] {
    return this.#pool.describe();
  }

  /** All methods as tools. */
  listTools(): BrokerTool[] {
    return toolsOf(this.#providers.describe());
  }

  /** Throws `not_found` unless a plugin or service module has this name. */
  requireProvider(pluginId: string): void {
    this.#providers.party(pluginId);
  }

  /** Ends the quarantine of a service. Returns whether it was quarantined; throws `not_found`. */
  release(pluginId: string, service: string): boolean {
    this.#providers.requireService(pluginId, service);
    return this.#pool.release(`${pluginId}/${service}`);
  }

  /** Ends all workers, giving them time for `onDestroy`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
    this.wheel.stop();
    this.factory.close();
    await this.#copies.close();
  }
}
