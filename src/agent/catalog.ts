/** The one place that knows every tool: those of services and those that services provide for others. */
import { ReefError } from "../core/errors.js";
import { within } from "../core/extension/alive.js";
import { claimOn, MAX_WIRE_NAME, wireNames } from "../core/tools/names.js";
import type { ServiceContext } from "../core/types.js";
import { type CatalogProblem, contributionOf, type Entry } from "./contributions.js";

export type { CatalogProblem } from "./contributions.js";

/** One tool, as `GET /services/tools` shows it. */
export interface CatalogTool extends Entry {
  /** The name that models' providers accept. */
  wireName: string;
}

export interface Catalog {
  tools: CatalogTool[];
  problems: CatalogProblem[];
}

/** How long somebody waits at most for the start of the server to be over, in milliseconds. */
const START_LIMIT_MS = 10_000;

/** What the catalogue needs of a service's context. */
export type CatalogHost = Pick<ServiceContext, "getModules" | "registry">;

/** Lists the tools of all loaded services. Follows reloads by itself: it asks again when a module is another. */
export class ToolCatalog {
  constructor(private readonly host: CatalogHost) {}

  /**
   * All tools, by service name and then in the order of registration. Of two with one name the one whose service it
   * begins with is listed, of equals the first; the other is a problem.
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
    throw new ReefError(
      "NOT_FOUND",
      `there is no tool "${name}"; GET /services/tools lists the existing ones`,
    );
  }
}

const claimOf = ({ name, owner }: Entry) => claimOn(name, "service" in owner ? owner.service : owner.via);

function collision(entry: Entry, holder: Entry): CatalogProblem {
  const service = "service" in entry.owner ? entry.owner.service : entry.owner.via;
  const by = "service" in holder.owner ? holder.owner.service : holder.owner.plugin;
  return { service, tool: entry.name, error: `the name is already used by "${by}"; this tool is skipped` };
}

/** The reply of `GET /services/tools`. */
export function describeTools(host: CatalogHost): Catalog & { count: number } {
  const catalog = new ToolCatalog(host).list();
  return { ...catalog, count: catalog.tools.length };
}
