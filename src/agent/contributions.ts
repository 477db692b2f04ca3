/** What each service adds to the catalogue of tools. */
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

/** One tool, without the name that depends on those of all the others. */
export interface Entry {
  /** The name that Reef goes by. */
  name: string;
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

export interface Contribution {
  entries: Entry[];
  problems: CatalogProblem[];
}

/** What each loaded module registered; shared by all catalogues, since a module is another after each reload. */
const known = new WeakMap<ServiceModule, Contribution>();

/** What each loaded module provided when it was asked last. */
const lately = new WeakMap<ServiceModule, Contribution>();

/** Never called: registering a tool takes a client, executing it takes another one. */
const nobody = createFleetClient({ env: {} });

/** The tools of a loaded service, and those that it provides for others. */
export function contributionOf(registry: ServiceRegistry, module: ServiceModule): Contribution {
  const own = known.get(module) ?? ownTools(registry, module);
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
    collected = registry.run(service, (running) => collectTools(running, nobody));
  } catch (refused) {
    // It is being exchanged. That may fail, and this version is then asked again.
    return { entries: [], problems: [{ service, error: messageOf(refused) }] };
  }
  const { tools, error, later } = collected;
  const contribution = contributed(service, tools, toolAnnotations);
  known.set(module, contribution);
  const threw = (reason: string) => ({ service, error: `registerTools threw: ${reason}` });
  if (error !== undefined) contribution.problems.unshift(threw(error));
  if (!later) return contribution;
  contribution.problems.unshift({
    service,
    error: "registerTools has not finished: tools that it registers later are not listed yet",
  });
  later.then((reason) => {
    const whole = contributed(service, tools, toolAnnotations);
    if (reason !== undefined) whole.problems.unshift(threw(reason));
    known.set(module, whole);
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
    lately.set(module, contribution);
  } catch (error) {
    const isExchanged = error instanceof ReefError && error.code === "BUSY";
    const before = isExchanged ? lately.get(module) : undefined;
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
