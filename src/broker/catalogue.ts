/** Descriptions of plugins, services and methods for listings and tools. */
import type { MethodStats } from "./calls/metrics.js";
import type { Permissions } from "./permissions/set.js";
import type { JsonSchema } from "./schema.js";

/** A method in a listing. */
export interface MethodInfo {
  name: string;
  description: string;
  inputSchema: JsonSchema;
  outputSchema: JsonSchema;
  stats: MethodStats;
}

/** A service in a listing. */
export interface ServiceInfo {
  name: string;
  description: string;
  methods: MethodInfo[];
}

/** A plugin, or a service module that offers methods, in a listing. */
export interface ProviderInfo {
  id: string;
  kind: "plugin" | "module";
  name: string;
  version: string;
  description: string;
  /** Normalised; `"all"` for service modules, which are trusted code. */
  permissions: Permissions;
  services: ServiceInfo[];
}

/** A method as a tool for agents. */
export interface BrokerTool {
  /** `plugin__<pluginId>__<service>__<method>`. */
  name: string;
  description: string;
  inputSchema: JsonSchema;
  target: { pluginId: string; service: string; method: string };
}

/** The tool name of a method. */
export function toolName(pluginId: string, service: string, method: string): string {
  return `plugin__${pluginId}__${service}__${method}`;
}

/** The methods of providers as tools. */
export function toolsOf(providers: readonly ProviderInfo[]): BrokerTool[] {
  return providers.flatMap(({ id, services }) =>
    services.flatMap((service) => service.methods.map((method) => toolOf(id, service.name, method))),
  );
}

function toolOf(pluginId: string, service: string, method: MethodInfo): BrokerTool {
  return {
    name: toolName(pluginId, service, method.name),
    description: method.description || `${service}.${method.name} of ${pluginId}`,
    inputSchema: method.inputSchema,
    target: { pluginId, service, method: method.name },
  };
}
