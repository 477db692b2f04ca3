/** The tools that each service contributes to the catalogue. */
import type { ToolDefinition } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../core/client.js";
import { messageOf, ReefError } from "../core/errors.js";
import type { ServiceRegistry } from "../core/registry-types.js";
import { toolPrefix } from "../core/tools/names.js";
import { plainSchema } from "../core/tools/schema.js";
import { textsOf } from "../core/tools/texts.js";
import type { ProvidedTool, ServiceModule, ToolAnnotations } from "../core/types.js";
import { annotate } from "./annotations.js";
import { type Collected, collectTools } from "./collect.js";

/** A tool without its wire name, which depends on all other tools. */
export interface Entry {
  /** The canonical name. */
  name: string;
  label: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Record<string, unknown>;
  /** `service`: the tool's service. `via`: the service that provides the tool for its owner. */
  owner: { service: string } | { plugin: string; via: string };
  annotations: Required<ToolAnnotations>;
}

/** Why a tool is missing or hard to use. */
export interface CatalogProblem {
  service: string;
  tool?: string;
  error: string;
}

/** The tools of one service. */
export interface Contribution {
  entries: Entry[];
  problems: CatalogProblem[];
}

/** Registered tools by module object, which changes with each reload; shared by all catalogues. */
const registered = new WeakMap<ServiceModule, Contribution>();

/** The last provided tools by module object. */
const lastProvided = new WeakMap<ServiceModule, Contribution>();

/** Passed to `registerTools`, and never called: tools are executed with another client. */
const registrationClient = createFleetClient({ env: {} });

/** The tools that a service registers, and those that it provides for others. */
export function contributionOf(registry: ServiceRegistry, module: ServiceModule): Contribution {
  const own = registered.get(module) ?? ownTools(registry, module);
  if (!module.toolProvider) return own;
  const provided = providedTools(registry, module);
  return {
    entries: [...own.entries, ...provided.entries],
    problems: [...own.problems, ...provided.problems],
  };
}

function ownTools(registry: ServiceRegistry, module: ServiceModule): Contribution {
  const { name: service, registerTools, toolAnnotations = {} } = module;
  if (!registerTools) return { entries: [], problems: [] };
  let collected: Collected;
  try {
    collected = registry.run(service, (running) => collectTools(running, registrationClient));
  } catch (refused) {
    // It is being exchanged. If that fails, this version is asked again.
    return { entries: [], problems: [{ service, error: messageOf(refused) }] };
  }
  const { tools, error, later } = collected;
  const contribution = contributed(service, tools, toolAnnotations);
  registered.set(module, contribution);
  const threw = (reason: string) => ({ service, error: `registerTools threw: ${reason}` });
  if (error !== undefined) contribution.problems.unshift(threw(error));
  if (!later) return contribution;
  contribution.problems.unshift({
    service,
    error: "registerTools has not finished: tools that it registers later are not listed yet",
  });
  later.then((reason) => {
    const complete = contributed(service, tools, toolAnnotations);
    if (reason !== undefined) complete.problems.unshift(threw(reason));
    registered.set(module, complete);
  });
  return contribution;
}

function contributed(
  service: string,
  tools: readonly ToolDefinition[],
  toolAnnotations: NonNullable<ServiceModule["toolAnnotations"]>,
): Contribution {
  const contribution: Contribution = { entries: [], problems: [] };
  const prefix = toolPrefix(service);
  for (const tool of tools) {
    try {
      contribution.entries.push(entryOf(tool, service, toolAnnotations[tool.name]));
      if (!tool.name.startsWith(prefix)) {
        const advice = `its name should start with "${prefix}" to avoid conflicts with other services`;
        contribution.problems.push({ service, tool: tool.name, error: advice });
      }
    } catch (thrown) {
      contribution.problems.push({ service, tool: tool.name, error: messageOf(thrown) });
    }
  }
  return contribution;
}

function providedTools(registry: ServiceRegistry, module: ServiceModule): Contribution {
  const { name: service } = module;
  const contribution: Contribution = { entries: [], problems: [] };
  try {
    const tools = registry.run(service, ({ toolProvider }) => toolProvider?.listTools() ?? []);
    for (const tool of tools) {
      try {
        contribution.entries.push(providedEntry(tool, service));
      } catch (error) {
        const { name } = Object(tool);
        const named = typeof name === "string" && { tool: name };
        contribution.problems.push({ service, ...named, error: messageOf(error) });
      }
    }
    lastProvided.set(module, contribution);
  } catch (error) {
    const isExchanged = error instanceof ReefError && error.code === "BUSY";
    const before = isExchanged ? lastProvided.get(module) : undefined;
    if (before) return before;
    contribution.problems.push({ service, error: `listTools threw: ${messageOf(error)}` });
  }
  return contribution;
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
