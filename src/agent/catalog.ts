/** The one place that knows every tool: those of services and those that services provide for others. */
import type { ToolDefinition } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../core/client.js";
import { messageOf, ReefError } from "../core/errors.js";
import { within } from "../core/extension/alive.js";
import { MAX_WIRE_NAME, toolPrefix, wireNames } from "../core/tool-names.js";
import { plainSchema } from "../core/tool-schema.js";
import { textsOf } from "../core/tool-texts.js";
import type { ProvidedTool, ServiceContext, ServiceModule, ToolAnnotations } from "../core/types.js";
import { annotate } from "./annotations.js";
import { type Collected, collectTools } from "./collect.js";

/** One tool, as `GET /services/tools` shows it. */
export interface CatalogTool {
  /** The name that Reef goes by. */
  name: string;
  /** The name that models' providers accept. */
  wireName: string;
  label: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Record<string, unknown>;
  /** `service`: the tool's service. `via`: the service that provides the tool for its owner. */
  owner: { service: string } | { plugin: string; via: string };
  annotations: Required<ToolAnnotations>;
}

/** A tool that is missing or hard to use, and why. */
export interface CatalogProblem {
  service: string;
  tool?: string;
  error: string;
}

export interface Catalog {
  tools: CatalogTool[];
  problems: CatalogProblem[];
}

/** How long somebody waits at most for the start of the server to be over, in milliseconds. */
const START_LIMIT_MS = 10_000;

/** What each loaded module registered; shared by all catalogues, since a module is another after each reload. */
const known = new WeakMap<ServiceModule, Contribution>();

type Entry = Omit<CatalogTool, "wireName">;
interface Contribution {
  entries: Entry[];
  problems: CatalogProblem[];
}

/** Never called: registering a tool takes a client, executing it takes another one. */
const nobody = createFleetClient({ env: {} });

/** What the catalogue needs of a service's context. */
export type CatalogHost = Pick<ServiceContext, "getModules" | "registry">;

/** Lists the tools of all loaded services. Follows reloads by itself: it asks again when a module is another. */
export class ToolCatalog {
  constructor(private readonly host: CatalogHost) {}

  /**
   * All tools, by service name and then in the order of registration. Of two with one name the first is listed;
   * the other is a problem.
   */
  list(maxWireName = MAX_WIRE_NAME): Catalog {
    const entries = new Map<string, Entry>();
    const problems: CatalogProblem[] = [];
    for (const module of this.host.getModules().toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const contribution = this.#contribution(module);
      problems.push(...contribution.problems);
      for (const entry of contribution.entries) {
        const holder = entries.get(entry.name);
        if (!holder) entries.set(entry.name, entry);
        else problems.push(collision(entry, holder));
      }
    }
    const wire = wireNames(entries.keys(), maxWireName);
    const tools = [...entries.values()].map(({ name, ...rest }) => ({
      name,
      wireName: wire.get(name) as string,
      ...rest,
    }));
    return { tools, problems };
  }

  /** The tool with this canonical or wire name. */
  find(name: string, maxWireName = MAX_WIRE_NAME): CatalogTool | undefined {
    const { tools } = this.list(maxWireName);
    return tools.find((tool) => tool.name === name) ?? tools.find((tool) => tool.wireName === name);
  }

  /**
   * Resolves once the services are there that the start of the server found, or have taken too long: what an agent is
   * given before, it goes without their tools for a whole session.
   */
  async whole(): Promise<void> {
    await within(this.host.registry.started(), START_LIMIT_MS);
  }

  /** Like `find`; waits for a tool that may come with the start of the server. */
  async expect(name: string, maxWireName?: number): Promise<CatalogTool | undefined> {
    const tool = this.find(name, maxWireName);
    if (tool) return tool;
    await this.whole();
    return this.find(name, maxWireName);
  }

  /** Like `expect`; rejects with a `NOT_FOUND` that says how to find the right one. */
  async get(name: string, maxWireName?: number): Promise<CatalogTool> {
    const tool = await this.expect(name, maxWireName);
    if (tool) return tool;
    throw new ReefError("NOT_FOUND", `there is no tool "${name}"; GET /services/tools lists those there are`);
  }

  #contribution(module: ServiceModule): Contribution {
    const provided = module.toolProvider ? this.#provided(module) : undefined;
    const own = known.get(module) ?? this.#own(module);
    if (!provided) return own;
    return {
      entries: [...own.entries, ...provided.entries],
      problems: [...own.problems, ...provided.problems],
    };
  }

  #own(module: ServiceModule): Contribution {
    const { name: service, registerTools, toolAnnotations = {} } = module;
    if (!registerTools) return { entries: [], problems: [] };
    const contribution: Contribution = { entries: [], problems: [] };
    let collected: Collected;
    try {
      collected = this.host.registry.run(service, (running) => collectTools(running, nobody));
    } catch (refused) {
      // It is being exchanged. That may fail, and this version is then asked again.
      contribution.problems.push({ service, error: messageOf(refused) });
      return contribution;
    }
    known.set(module, contribution);
    const { tools, error } = collected;
    if (error !== undefined) contribution.problems.push({ service, error: `registerTools threw: ${error}` });
    const prefix = toolPrefix(service);
    for (const tool of tools) {
      try {
        contribution.entries.push(entryOf(tool, service, toolAnnotations[tool.name]));
        if (!tool.name.startsWith(prefix)) {
          const advice = `its name should begin with "${prefix}", so that no other service takes it`;
          contribution.problems.push({ service, tool: tool.name, error: advice });
        }
      } catch (thrown) {
        contribution.problems.push({ service, tool: tool.name, error: messageOf(thrown) });
      }
    }
    return contribution;
  }

  #provided({ name: service }: ServiceModule): Contribution {
    const contribution: Contribution = { entries: [], problems: [] };
    try {
      const tools = this.host.registry.run(service, ({ toolProvider }) => toolProvider?.listTools() ?? []);
      for (const tool of tools) {
        try {
          contribution.entries.push(providedEntry(tool, service));
        } catch (error) {
          const { name } = Object(tool);
          const named = typeof name === "string" && { tool: name };
          contribution.problems.push({ service, ...named, error: messageOf(error) });
        }
      }
    } catch (error) {
      contribution.problems.push({ service, error: `listTools threw: ${messageOf(error)}` });
    }
    return contribution;
  }
}

function providedEntry(tool: ProvidedTool, service: string): Entry {
  const { name, label, description, inputSchema, owner, annotations } = Object(tool) as ProvidedTool;
  if (typeof name !== "string" || name === "") throw new Error("a tool needs a name");
  return {
    name,
    ...textsOf(name, label, description),
    inputSchema: plainSchema(inputSchema),
    owner: { plugin: typeof owner === "string" ? owner : service, via: service },
    annotations: annotate(name.split("__").at(-1) ?? name, "", annotations),
  };
}

function entryOf(tool: ToolDefinition, service: string, given: ToolAnnotations | undefined): Entry {
  const { name, label, description } = tool;
  return {
    name,
    ...textsOf(name, label, description),
    inputSchema: plainSchema(tool.parameters),
    owner: { service },
    annotations: annotate(name, service, given),
  };
}

function collision(entry: Entry, holder: Entry): CatalogProblem {
  const service = "service" in entry.owner ? entry.owner.service : entry.owner.via;
  const by = "service" in holder.owner ? holder.owner.service : holder.owner.plugin;
  return { service, tool: entry.name, error: `the name is taken by "${by}"; this one is left out` };
}

/** The reply of `GET /services/tools`. */
export function describeTools(host: CatalogHost): Catalog & { count: number } {
  const catalog = new ToolCatalog(host).list();
  return { ...catalog, count: catalog.tools.length };
}
