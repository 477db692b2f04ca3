/** The table of plugins, services and methods. */
import { type LocalMethod, type ReadyLocalMethod, readyMethod } from "./calls/local.js";
import { MethodMetrics } from "./calls/metrics.js";
import type { ProviderInfo, ServiceInfo } from "./catalogue.js";
import { BrokerError } from "./errors.js";
import type { LoadedPlugin, MethodManifest, ServiceManifest } from "./manifest.js";
import type { Party } from "./permissions/check.js";
import { intersect, type Permissions } from "./permissions/set.js";
import type { CompiledSchema } from "./schema.js";

/** A method that runs in a worker. */
export class RemoteMethod {
  readonly key: string;
  readonly serviceKey: string;
  readonly input: CompiledSchema;
  #effective = new WeakMap<object, Permissions>();

  constructor(
    readonly plugin: LoadedPlugin,
    readonly service: ServiceManifest,
    readonly method: MethodManifest,
    readonly metrics: MethodMetrics,
  ) {
    this.serviceKey = `${plugin.id}/${service.name}`;
    this.key = `${this.serviceKey}/${method.name}`;
    this.input = method.input;
  }

  /** The method's permissions when called with these permissions. */
  effectiveFor(caller: Permissions): Permissions {
    if (caller === "all") return this.plugin.permissions;
    let effective = this.#effective.get(caller);
    if (!effective) {
      effective = intersect(caller, this.plugin.permissions);
      this.#effective.set(caller, effective);
    }
    return effective;
  }
}

type Method = RemoteMethod | ReadyLocalMethod;

const OWNER = /^[a-z0-9][\w.-]{0,127}$/i;
const NAME = /^[a-z][\w-]{0,63}$/i;

/** Knows which plugins and service modules offer which methods. */
export class Providers {
  readonly #plugins = new Map<string, LoadedPlugin>();
  /** owner → service → method. */
  readonly #methods = new Map<string, Map<string, Map<string, Method>>>();
  readonly #metrics = new Map<string, MethodMetrics>();

  find(pluginId: string, service: string, method: string): Method | undefined {
    return this.#methods.get(pluginId)?.get(service)?.get(method);
  }

  explainMissing(pluginId: string, service: string, method: string): string {
    const methods = this.#methods.get(pluginId)?.get(service);
    if (!methods) return this.#explainMissingService(pluginId, service);
    return `${pluginId}/${service} declares no method "${method}"; it declares ${[...methods.keys()].join(", ") || "none"}`;
  }

  #explainMissingService(pluginId: string, service: string): string {
    const services = this.#methods.get(pluginId);
    if (!services) return `there is no plugin "${pluginId}"`;
    return `${pluginId} has no service "${service}"; it has ${[...services.keys()].join(", ")}`;
  }

  /** Throws `not_found` unless this service is offered. */
  requireService(pluginId: string, service: string): void {
    if (this.#methods.get(pluginId)?.has(service)) return;
    throw new BrokerError("not_found", this.#explainMissingService(pluginId, service));
  }

  plugin(id: string): LoadedPlugin | undefined {
    return this.#plugins.get(id);
  }

  /** A plugin or service module; throws `not_found`. */
  party(id: string): Party {
    const plugin = this.#plugins.get(id);
    if (plugin) return plugin;
    if (this.#methods.has(id)) return { id, permissions: "all" };
    throw new BrokerError("not_found", `there is no plugin "${id}"`);
  }

  /** Adds a plugin. Returns the version that it replaces. */
  addPlugin(plugin: LoadedPlugin): LoadedPlugin | undefined {
    if (this.#methods.has(plugin.id) && !this.#plugins.has(plugin.id)) {
      throw new BrokerError("invalid_input", `"${plugin.id}" is already the name of a service module`);
    }
    const services = new Map<string, Map<string, Method>>();
    for (const service of plugin.services.values()) {
      const methods = [...service.methods.values()].map((method): [string, Method] => {
        const metrics = this.#metricsFor(`${plugin.id}/${service.name}/${method.name}`);
        return [method.name, new RemoteMethod(plugin, service, method, metrics)];
      });
      services.set(service.name, new Map(methods));
    }
    const before = this.#plugins.get(plugin.id);
    this.#plugins.set(plugin.id, plugin);
    this.#methods.set(plugin.id, services);
    return before;
  }

  /** Removes a plugin. Returns it if it was there. */
  removePlugin(id: string): LoadedPlugin | undefined {
    const plugin = this.#plugins.get(id);
    if (!plugin) return undefined;
    this.#plugins.delete(id);
    this.#forget(id);
    this.#methods.delete(id);
    return plugin;
  }

  #forget(id: string): void {
    for (const key of this.#metrics.keys()) if (key.startsWith(`${id}/`)) this.#metrics.delete(key);
  }

  #metricsFor(key: string): MethodMetrics {
    let metrics = this.#metrics.get(key);
    if (!metrics) {
      metrics = new MethodMetrics();
      this.#metrics.set(key, metrics);
    }
    return metrics;
  }

  addLocal(owner: string, service: string, methods: Record<string, LocalMethod>): () => void {
    for (const [what, name, form] of [
      ["owner", owner, OWNER],
      ["service", service, NAME],
      ...Object.keys(methods).map((name) => ["method", name, NAME] as const),
    ] as const) {
      if (!form.test(name) || name.includes("__")) {
        throw new BrokerError("invalid_input", `"${name}" is not a valid ${what} name`);
      }
    }
    const ready = Object.entries(methods).map(([name, method]): [string, Method] => {
      const key = `${owner}/${service}/${name}`;
      return [name, readyMethod(owner, key, name, method, this.#metricsFor(key))];
    });
    const services = this.#methods.get(owner) ?? new Map<string, Map<string, Method>>();
    const offered = new Map(ready);
    services.set(service, offered);
    this.#methods.set(owner, services);
    return () => {
      if (services.get(service) !== offered) return;
      services.delete(service);
      if (services.size === 0 && this.#methods.get(owner) === services) this.#methods.delete(owner);
    };
  }

  describe(): ProviderInfo[] {
    return [...this.#methods].map(([id, services]): ProviderInfo => {
      const plugin = this.#plugins.get(id);
      return {
        id,
        kind: plugin ? "plugin" : "module",
        name: plugin?.name ?? id,
        version: plugin?.version ?? "",
        description: plugin?.description ?? "",
        permissions: plugin?.permissions ?? "all",
        services: [...services].map(([name, methods]) => describeService(name, methods, plugin)),
      };
    });
  }
}

function describeService(
  name: string,
  methods: Map<string, Method>,
  plugin: LoadedPlugin | undefined,
): ServiceInfo {
  return {
    name,
    description: plugin?.services.get(name)?.description ?? "",
    methods: [...methods.values()].map((method) => {
      const shown = method instanceof RemoteMethod ? method.method : method;
      return {
        name: shown.name,
        description: shown.description,
        inputSchema: shown.input.schema,
        outputSchema: shown.output.schema,
        stats: method.metrics.snapshot(),
      };
    }),
  };
}
