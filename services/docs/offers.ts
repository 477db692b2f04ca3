/** What services offer beside routes, from those who know: methods from the broker, tools from the tool catalogue. */
import { ToolCatalog } from "../../src/agent/index.js";
import { messageOf } from "../../src/core/errors.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { MethodEntry, ToolEntry } from "./model.js";
import { membersOf, plainSchema, textOf } from "./schemas/plain.js";

/** By the name of the service under which they are shown. */
export interface Offers {
  methods: Map<string, MethodEntry[]>;
  tools: Map<string, ToolEntry[]>;
}

const BROKER = "broker";

/** What can be called at this moment. A source that is not loaded or cannot say costs only itself. */
export function offersOf(ctx: ServiceContext): Offers {
  return { methods: methodsOf(ctx), tools: toolsOf(ctx) };
}

/** Tools stand with the service that registers them, those of plugins with the service that provides them. */
function toolsOf(ctx: ServiceContext): Map<string, ToolEntry[]> {
  const { tools } = new ToolCatalog(ctx).list();
  return grouped(
    tools.map(({ name, description, inputSchema, owner }) => {
      const service = "service" in owner ? owner.service : owner.via;
      return [service, { name, description, parameters: inputSchema }] as const;
    }),
  );
}

/** Methods of service modules stand with their service, those of plugins with the broker. */
function methodsOf(ctx: ServiceContext): Map<string, MethodEntry[]> {
  const store = ctx.getStore<{ describe?(): unknown }>(BROKER);
  if (typeof store?.describe !== "function") return new Map();
  let providers: unknown;
  try {
    providers = store.describe();
  } catch (error) {
    ctx.log.warn(`the broker cannot list its methods: ${messageOf(error)}`);
    return new Map();
  }
  const found: Array<[owner: string, method: MethodEntry]> = [];
  for (const provider of items(providers)) {
    const id = textOf(provider.id) ?? "";
    const owner = ctx.getModule(id) ? id : BROKER;
    for (const service of items(provider.services)) {
      for (const method of items(service.methods)) {
        found.push([owner, methodEntry(id, textOf(service.name) ?? "", method)]);
      }
    }
  }
  return grouped(found);
}

function methodEntry(provider: string, service: string, method: Record<string, unknown>): MethodEntry {
  const name = textOf(method.name) ?? "";
  const outputSchema = plainSchema(method.outputSchema);
  const path = [provider, service, name].map(encodeURIComponent).join("/");
  return {
    provider,
    service,
    name,
    description: textOf(method.description) ?? "",
    inputSchema: plainSchema(method.inputSchema) ?? {},
    ...(outputSchema && { outputSchema }),
    path: `/${BROKER}/call/${path}`,
  };
}

const items = (value: unknown): Array<Record<string, unknown>> =>
  Array.isArray(value) ? value.map(membersOf) : [];

function grouped<T>(pairs: ReadonlyArray<readonly [string, T]>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}
