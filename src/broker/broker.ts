import { mkdirSync } from "node:fs";
import type { BrokerTool, ProviderInfo } from "./catalogue.js";
import { toolName } from "./catalogue.js";
import { type CallOptions, clientOf, type ServiceClient } from "./client.js";
import { type CallContext, trustedContext } from "./context.js";
import { BrokerError } from "./errors.js";
import { WorkerFactory } from "./factory.js";
import { type BrokerLimits, DEFAULT_LIMITS } from "./limits.js";
import { type LocalMethod, LocalRun } from "./local.js";
import { type PluginManifest, readManifest } from "./manifest.js";
import { describeDenial, explain, type Party } from "./permissions/check.js";
import { realPathAsFarAsPossible } from "./permissions/paths.js";
import { intersect, type Permissions, permissionKey } from "./permissions/set.js";
import { type PoolHost, type WorkerInfo, WorkerPool } from "./pool/pool.js";
import type { Slot } from "./pool/slot.js";
import type { Worker, WorkerEvents } from "./pool/worker.js";
import { inputFromArguments } from "./positional.js";
import { Providers, type RemoteMethod } from "./providers.js";
import { RemoteRun } from "./remote.js";
import { Requests } from "./requests.js";
import { detectEnforcement, type EnforcementLevel, type EnforcementMode } from "./sandbox/level.js";
import { Session } from "./session.js";
import type { EventSink, LogSink, PluginStorage } from "./sinks.js";
import { DeadlineWheel } from "./wheel.js";

/** What a broker is made of. Everything has a default but the sinks. */
export interface BrokerOptions {
  log: LogSink;
  events: EventSink;
  /** Where a plugin's own data belongs (`$EXTENSION_SUPPORT`), by its identifier. */
  supportFolder(pluginId: string): string;
  storage?: PluginStorage;
  limits?: Partial<BrokerLimits>;
  /** What happens where the machine cannot enforce permissions; `"scoped"` when absent. */
  enforcement?: EnforcementMode;
  /** Replaces the detection of what the machine can enforce; for tests. */
  detect?(): Promise<EnforcementLevel>;
  /** The variables that `env` permissions choose from; those of this process when absent. */
  environment?: Readonly<Record<string, string | undefined>>;
}

/** The input of a call, or the positional arguments that make it up. */
type Payload = { input?: unknown } | { args: readonly unknown[] };

/** Failures that say something about the caller, not about the service. */
const UNREPORTED = new Set(["invalid_input", "not_found", "cancelled"]);

/**
 * Finds methods, checks what goes in and comes out, works out permissions and runs the
 * call: in this process, or in a confined worker.
 *
 * @example
 * ```ts
 * const broker = new Broker({ log, events, supportFolder: (id) => `/data/plugins/${id}` });
 * await broker.load("/services/math-plugin");
 * await broker.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 }); // { result: 8 }
 * ```
 */
export class Broker {
  readonly limits: BrokerLimits;
  readonly wheel = new DeadlineWheel();
  readonly pool: WorkerPool;
  readonly events: EventSink;
  readonly storage: PluginStorage | null;
  readonly factory: WorkerFactory;
  readonly searchPath: string;
  readonly #providers = new Providers();
  readonly #sessions = new Map<Worker, Session>();
  readonly #requests: Requests;
  readonly #permissionsByKey = new Map<string, Permissions>();
  readonly #mode: EnforcementMode;
  readonly #detect: () => Promise<EnforcementLevel>;
  #closed = false;

  constructor(private readonly options: BrokerOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.events = options.events;
    this.storage = options.storage ?? null;
    this.#mode = options.enforcement ?? "scoped";
    this.#detect = options.detect ?? detectEnforcement;
    const environment = options.environment ?? process.env;
    this.searchPath = environment.PATH ?? "/usr/bin:/bin";
    this.factory = new WorkerFactory(this.limits, this.#mode, this.#detect, environment);
    this.#requests = new Requests(this);
    const host: PoolHost = {
      create: (slot, onExit) => this.#createWorker(slot, onExit),
      crashed: (slot, reason) => this.#report(slot, "broker.worker_crashed", reason),
      quarantined: (slot, { reason }) => this.#report(slot, "broker.quarantined", reason),
    };
    this.pool = new WorkerPool(this.limits, host);
  }

  /**
   * Reads a plugin folder and makes its methods callable; replaces an earlier version of
   * the same plugin, whose running calls finish on their old workers. Throws a
   * `ManifestError`, and a `BrokerError` when the plugin must not run on this machine.
   */
  async load(folder: string): Promise<PluginManifest> {
    const plugin = this.readPlugin(folder);
    await this.factory.confines(plugin);
    if (this.#closed) throw new BrokerError("unavailable", "the broker is closing");
    this.#makeSupportFolder(plugin);
    this.#providers.addPlugin(plugin);
    this.pool.drain((serviceKey) => serviceKey.startsWith(`${plugin.id}/`));
    this.events.emit({ type: "broker.loaded", pluginId: plugin.id, time: new Date().toISOString() });
    return plugin;
  }

  /** A folder that is not there cannot be granted, so the plugin's own is made when it asks for it. */
  #makeSupportFolder(plugin: PluginManifest): void {
    const folder = realPathAsFarAsPossible(this.options.supportFolder(plugin.id));
    const scopes = [plugin.permissions["fs-read"], plugin.permissions["fs-write"]];
    const rules = scopes.flatMap((scope) => scope?.allow.flat() ?? []);
    if (rules.some((rule) => rule === folder || rule.startsWith(`${folder}/`))) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  /** Reads and checks a plugin folder without loading it. */
  readPlugin(folder: string): PluginManifest {
    // The identifier decides the support folder, and the manifest the identifier.
    const preliminary = readManifest(folder, "/");
    return readManifest(folder, this.options.supportFolder(preliminary.id));
  }

  /** Takes a plugin out of service. Running calls finish. Returns whether it was there. */
  unload(pluginId: string): boolean {
    if (!this.#providers.removePlugin(pluginId)) return false;
    this.pool.drain((serviceKey) => serviceKey.startsWith(`${pluginId}/`));
    this.events.emit({ type: "broker.unloaded", pluginId, time: new Date().toISOString() });
    return true;
  }

  /**
   * Makes methods of this process callable under `owner`. They are trusted code and run
   * without a process of their own. Returns what takes them away again.
   */
  registerLocal(owner: string, service: string, methods: Record<string, LocalMethod>): () => void {
    return this.#providers.addLocal(owner, service, methods);
  }

  /**
   * Calls a method with the rights of a trusted caller: an operator, or a service module.
   * Rejects with a {@link BrokerError}.
   */
  call<Result = unknown>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options: CallOptions & { caller?: string } = {},
  ): Promise<Result> {
    const context = options.caller === undefined ? OPERATOR : trustedContext(options.caller);
    return this.dispatch(context, pluginId, service, method, { input }, options) as Promise<Result>;
  }

  /**
   * A typed client for one service, with the rights of a trusted caller. Arguments are
   * matched to the properties of the input schema in their order.
   */
  createServiceClient<T>(
    pluginId: string,
    service: string,
    options: CallOptions & { caller?: string } = {},
  ): ServiceClient<T> {
    const context = options.caller === undefined ? OPERATOR : trustedContext(options.caller);
    return clientOf<T>((method, args) =>
      this.dispatch(context, pluginId, service, method, { args }, options),
    );
  }

  /** @internal Makes a call in a context. */
  dispatch(
    context: CallContext,
    pluginId: string,
    service: string,
    method: string,
    payload: Payload,
    options: CallOptions,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      try {
        this.#start(context, pluginId, service, method, payload, options, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #start(
    context: CallContext,
    pluginId: string,
    service: string,
    method: string,
    payload: Payload,
    options: CallOptions,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const now = performance.now();
    if (context.permissions !== "all") this.#permitCall(context, `${pluginId}/${service}/${method}`);
    const found = this.#providers.find(pluginId, service, method);
    if (!found) throw new BrokerError("not_found", this.#providers.explainMissing(pluginId, service, method));
    const delay = this.#delay(options.timeout, context, now, found.key);
    if (context.depth > 0) this.#refuseCycle(context, found.key);
    if (options.signal?.aborted) throw new BrokerError("cancelled", `the call of ${found.key} was withdrawn`);
    const input = "args" in payload ? inputFromArguments(found.input.schema, payload.args) : payload.input;
    if (!found.input.check(input)) {
      const issues = found.input.issues(input);
      const where = issues.map(({ path, message }) => `${path || "/"} ${message}`).join("; ");
      found.metrics.record(performance.now() - now, "invalid_input");
      throw new BrokerError("invalid_input", `the input of ${found.key} does not fit: ${where}`, { issues });
    }
    if ("handler" in found) {
      const run = new LocalRun(this, found, context, now, resolve, reject);
      this.wheel.add(run, delay, now);
      run.run(input, options.signal);
    } else this.#startRemote(found, { context, input, delay, now, options, resolve, reject });
  }

  #startRemote(found: RemoteMethod, call: RemoteCall): void {
    const { context, input, delay, now, options, resolve, reject } = call;
    const { plugin, service, method, key } = found;
    const permissions = found.effectiveFor(context.permissions);
    const permissionsKey = permissionKey(permissions);
    this.#permissionsByKey.set(permissionsKey, permissions);
    const again = () => {
      const left = Math.max(1, delay - (performance.now() - now));
      this.dispatch(
        context,
        plugin.id,
        service.name,
        method.name,
        { input },
        { ...options, timeout: left },
      ).then(resolve, reject);
    };
    const target = { key, plugin, method, metrics: found.metrics };
    const run = new RemoteRun(this, target, context, input, options.signal, now, resolve, reject, again);
    this.wheel.add(run, delay, now);
    run.slot = this.pool.submit(found.serviceKey, permissionsKey, run);
  }

  #permitCall(context: CallContext, resource: string): void {
    const denial = explain(context.parties, "service:call", resource);
    if (!denial) return;
    const error = new BrokerError("permission_denied", describeDenial(denial), { denial });
    this.failed(resource, context.caller, error);
    throw error;
  }

  #delay(timeout: number | undefined, context: CallContext, now: number, key: string): number {
    const { defaultTimeout, maxTimeout } = this.limits;
    if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0 && timeout <= maxTimeout)) {
      throw new BrokerError("invalid_input", `timeout must be more than 0 and at most ${maxTimeout} ms`);
    }
    const left = context.deadline - now;
    if (left <= 0) throw new BrokerError("timeout", `no time is left to call ${key}`);
    return Math.min(timeout ?? defaultTimeout, left);
  }

  #refuseCycle(context: CallContext, key: string): void {
    if (context.chain.includes(key)) {
      throw new BrokerError("call_cycle", `${key} is already waiting for this call`, {
        chain: [...context.chain, key],
      });
    }
    if (context.depth >= this.limits.maxDepth) {
      throw new BrokerError("call_cycle", `calls go more than ${this.limits.maxDepth} methods deep`, {
        chain: [...context.chain, key],
      });
    }
  }

  async #createWorker(slot: Slot, onExit: (reason: string | null) => void): Promise<Worker> {
    const [pluginId, serviceName] = splitServiceKey(slot.serviceKey);
    const plugin = this.#providers.plugin(pluginId);
    const service = plugin?.services.get(serviceName);
    const permissions = this.#permissionsByKey.get(slot.permissionKey);
    if (!plugin || !service || permissions === undefined) {
      throw new BrokerError("unavailable", `${slot.serviceKey} is no longer there`);
    }
    let session: Session | null = null;
    let made: Worker | null = null;
    const events: WorkerEvents = {
      log: (stream, line) => this.options.log.write({ pluginId, service: serviceName, stream, line }),
      request: (id, parent, request) => {
        if (session) this.#requests.take(session, id, parent, request);
      },
      withdraw: (id) => session?.requests.get(id)?.controller.abort(),
      recovered: () => this.pool.released(slot),
      exit: (reason) => {
        session?.end();
        if (made) this.#sessions.delete(made);
        onExit(reason);
      },
    };
    const { worker, proxySocket } = await this.factory.create(plugin, service, permissions, events);
    made = worker;
    session = new Session(plugin, permissions, proxySocket);
    session.worker = worker;
    this.#sessions.set(worker, session);
    return worker;
  }

  /** @internal */
  sessionOf(worker: Worker): Session | undefined {
    return this.#sessions.get(worker);
  }

  /** @internal Reports a failed call. */
  failed(method: string, caller: string, error: BrokerError): void {
    if (UNREPORTED.has(error.code)) return;
    const { code, message } = error;
    this.events.emit({
      type: "broker.call_failed",
      method,
      caller,
      code,
      message,
      time: new Date().toISOString(),
    });
  }

  #report(slot: Slot, type: "broker.worker_crashed" | "broker.quarantined", reason: string): void {
    const [pluginId, service] = splitServiceKey(slot.serviceKey);
    this.options.log.write({ pluginId, service, stream: "broker", line: reason });
    this.events.emit({ type, pluginId, service, reason, time: new Date().toISOString() });
  }

  /**
   * What a caller and a callee may do together, by their identifiers. A service module
   * counts as trusted. Throws `not_found` for unknown ones.
   */
  effectivePermissions(callerId: string, calleeId: string): Permissions {
    return intersect(
      this.#providers.party(callerId).permissions,
      this.#providers.party(calleeId).permissions,
    );
  }

  /** Both parties of a pair and what they may do together. */
  explainPermissions(callerId: string, calleeId: string): { parties: Party[]; effective: Permissions } {
    const parties = [callerId, calleeId].map((id): Party => {
      const { permissions } = this.#providers.party(id);
      return { id, permissions };
    });
    return { parties, effective: this.effectivePermissions(callerId, calleeId) };
  }

  /** What this machine can enforce, and what the operator wants where it cannot. */
  async enforcement(): Promise<EnforcementLevel & { mode: EnforcementMode }> {
    return { ...(await this.#detect()), mode: this.#mode };
  }

  /** Every plugin and service module with its methods and their counters. */
  describe(): ProviderInfo[] {
    return this.#providers.describe();
  }

  /** The workers and what they are doing. */
  workers(): WorkerInfo[] {
    return this.pool.describe();
  }

  /** Every method as a tool. */
  listTools(): BrokerTool[] {
    return this.#providers.describe().flatMap(({ id, services }) =>
      services.flatMap((service) =>
        service.methods.map((method) => ({
          name: toolName(id, service.name, method.name),
          description: method.description || `${service.name}.${method.name} of ${id}`,
          inputSchema: method.inputSchema,
          target: { pluginId: id, service: service.name, method: method.name },
        })),
      ),
    );
  }

  /** Throws `not_found` unless there is a plugin or service module of this name now. */
  requireProvider(pluginId: string): void {
    this.#providers.party(pluginId);
  }

  /** Lets a service that rests after crashes try again. Returns whether it was resting; throws `not_found`. */
  release(pluginId: string, service: string): boolean {
    this.#providers.requireService(pluginId, service);
    return this.pool.release(`${pluginId}/${service}`);
  }

  /** Ends all workers, giving them time for `onDestroy`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.pool.close();
    this.wheel.stop();
    this.factory.close();
  }
}

const OPERATOR = trustedContext("operator");

interface RemoteCall {
  context: CallContext;
  input: unknown;
  delay: number;
  now: number;
  options: CallOptions;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A scoped identifier holds a slash itself, a service's name never does. */
function splitServiceKey(key: string): [pluginId: string, service: string] {
  const at = key.lastIndexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
}
