/** The catalogue of all tools: those of services, and those that services provide for others. */
import { ReefError } from "../core/errors.js";
import { waitAtMost } from "../core/extension/timeouts.js";
import { claimOn, MAX_WIRE_NAME, wireNames } from "../core/tools/names.js";
import type { ServiceContext } from "../core/types.js";
import { type CatalogProblem, contributionOf, type Entry } from "./contributions.js";

export type { CatalogProblem } from "./contributions.js";

/** A tool, as listed by `GET /services/tools`. */
export interface CatalogTool extends Entry {
  /** The name that models' providers accept. */
  wireName: string;
}

/** The tools and the problems found. */
export interface Catalog {
  tools: CatalogTool[];
  problems: CatalogProblem[];
}

/** How long callers wait for the server's start, in milliseconds. */
const START_LIMIT_MS = 10_000;

/** The part of a service's context that the catalogue needs. */
export type CatalogHost = Pick<ServiceContext, "getModules" | "registry">;

/**
 * Lists the tools of all loaded services. Reflects reloads: results are cached per module object.
 *
 * @example
 * const { tools, problems } = new ToolCatalog(ctx).list();
 */
export class ToolCatalog {
  constructor(private readonly host: CatalogHost) {}

  /**
   * All tools, by service name and registration order. Of duplicate names, the one that begins with its service's
   * prefix is listed, otherwise the first; the others are reported as problems.
   */
  list(maxWireName = MAX_WIRE_NAME): Catalog {
    const modules = this.host.getModules().toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const contributions = modules.map((module) => contributionOf(this.host.registry, module));
    const holders = new Map<string, Entry>();
    for (const entry of contributions.flatMap(({ entries }) => entries)) {
      const holder = holders.get(entry.name);
      if (!holder || claimOf(entry) > claimOf(holder)) holders.set(entry.name, entry);
    }
    const entries: Entry[] = [];
    const problems: CatalogProblem[] = [];
    for (const contribution of contributions) {
      problems.push(...contribution.problems);
      for (const entry of contribution.entries) {
        const holder = holders.get(entry.name) as Entry;
        if (holder === entry) entries.push(entry);
        else problems.push(collision(entry, holder));
      }
    }
    const wire = wireNames(holders.keys(), maxWireName);
    const tools = entries.map(({ name, ...rest }) => ({
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
   * Resolves once the server's start is over, or after a time limit. An agent that fetches tools earlier lacks
   * the missing ones for its whole session.
   */
  async whole(): Promise<void> {
    await waitAtMost(this.host.registry.started(), START_LIMIT_MS);
  }

  /** Like `find`, but waits for the server's start if the tool is unknown. */
  async expect(name: string, maxWireName?: number): Promise<CatalogTool | undefined> {
    const tool = this.find(name, maxWireName);
    if (tool) return tool;
    await this.whole();
    return this.find(name, maxWireName);
  }

  /** Like `expect`, but rejects with a `NOT_FOUND` that says how to list tools. */
  async get(name: string, maxWireName?: number): Promise<CatalogTool> {
    const tool = await this.expect(name, maxWireName);
    if (tool) return tool;
    throw new ReefError(
      "NOT_FOUND",
      `there is no tool "${name}"; GET /services/tools lists the existing ones`,
    );
  }
}

const serviceOf = ({ owner }: Entry) => ("service" in owner ? owner.service : owner.via);

const claimOf = (entry: Entry) => claimOn(entry.name, serviceOf(entry));

function collision(entry: Entry, holder: Entry): CatalogProblem {
  const by = "service" in holder.owner ? holder.owner.service : holder.owner.plugin;
  return {
    service: serviceOf(entry),
    tool: entry.name,
    error: `the name is already used by "${by}"; this tool is skipped`,
  };
}

/** The reply of `GET /services/tools`. */
export function describeTools(host: CatalogHost): Catalog & { count: number } {
  const catalog = new ToolCatalog(host).list();
  return { ...catalog, count: catalog.tools.length };
}
