/** Builds extension files and keeps them up to date with the services. */
import { messageOf } from "../core/errors.js";
import { isSelected } from "../core/extension/selection.js";
import { claimOn } from "../core/tools/names.js";
import {
  type BundleSource,
  buildExtension,
  type ExtensionBundle,
  type RegistrationProblem,
  type RemoteSource,
  type WireNames,
} from "./bundle/build.js";
import { clearInspections, inspectBundle } from "./bundle/inspect.js";
import type { UnitReport } from "./bundle/runtime/inspect.js";
import { type CatalogHost, ToolCatalog } from "./catalog.js";
import { bundleSources, remoteSources } from "./sources.js";

/** Selects the services of an extension file; all by default. */
export interface Choice {
  services?: readonly string[];
  category?: string;
}

type Host = CatalogHost;

/** The number of extension files, for different choices, that are cached. */
const MAX_CHOICES = 8;

/** Part of the error message of stand-ins for server-side code. */
const SERVER_HALF = "belongs to the server side";

/**
 * Builds an extension file and tries it in a child process. Services that fail to load are left out and
 * reported. A service whose tools use values from its `store.ts` or `routes.ts` gets these files bundled as
 * well. `signal` aborts the build.
 *
 * @example
 * const { code, leftOut } = await buildTried([{ name: "board", dir: "/srv/reef/services/board" }]);
 */
export async function buildTried(
  sources: readonly BundleSource[],
  remote: readonly RemoteSource[] = [],
  wireNames: WireNames = {},
  signal?: AbortSignal,
): Promise<ExtensionBundle> {
  const started = performance.now();
  void clearInspections();
  const failed = new Map<string, string>();
  /** By service: whether its server files are bundled; absent until that is decided. */
  const bundlesServerFiles = new Map<string, boolean>();
  for (;;) {
    const bundle = await buildExtension(
      sources
        .filter(({ name }) => !failed.has(name))
        .map((source) => ({ ...source, withServerFiles: bundlesServerFiles.get(source.name) ?? false })),
      remote,
      wireNames,
    );
    const reports = bundle.services.length > 0 ? await inspectBundle(bundle.code, signal) : [];
    let settled = true;
    for (const { unit, error, failures = [] } of reports) {
      if (error !== undefined) {
        settled = false;
        if (bundlesServerFiles.get(unit)) bundlesServerFiles.set(unit, false);
        else failed.set(unit, error);
      } else if (!bundlesServerFiles.has(unit) && failures.some((failure) => failure.includes(SERVER_HALF))) {
        settled = false;
        bundlesServerFiles.set(unit, true);
      }
    }
    if (!settled) continue;
    const leftOut = [...bundle.leftOut, ...[...failed].map(([name, reason]) => ({ name, reason }))];
    const builtInMs = performance.now() - started;
    return { ...bundle, leftOut, problems: registrationProblems(reports), builtInMs };
  }
}

/** Errors of registrations, and tools with duplicate names; who keeps a name is decided as in the agent. */
function registrationProblems(reports: readonly UnitReport[]): RegistrationProblem[] {
  const holders = new Map<string, string>();
  const problems: RegistrationProblem[] = [];
  const lose = (service: string, tool: string, holder: string) =>
    problems.push({ service, tool, error: `the name is already used by "${holder}"; this tool is skipped` });
  for (const { unit, tools = [], failures = [] } of reports) {
    problems.push(...failures.map((error) => ({ service: unit, error })));
    for (const tool of tools) {
      const holder = holders.get(tool);
      const isMore = holder === undefined || claimOn(tool, unit) > claimOn(tool, holder);
      if (isMore) holders.set(tool, unit);
      if (holder !== undefined) lose(isMore ? holder : unit, tool, isMore ? unit : holder);
    }
  }
  return problems;
}

/**
 * Builds extension files on demand and caches them until services change or {@link ExtensionBuilder.invalidate}
 * is called.
 */
export class ExtensionBuilder {
  #built = new Map<string, Promise<ExtensionBundle>>();
  /** Builds in progress, whether or not they are still wanted. */
  readonly #building = new Set<Promise<ExtensionBundle>>();
  readonly #ending = new AbortController();
  readonly #catalog: ToolCatalog;

  constructor(private readonly host: Host) {
    this.#catalog = new ToolCatalog(host);
  }

  /** Discards cached files after a change of services. */
  invalidate(): void {
    this.#built = new Map();
  }

  /** Aborts builds in progress. Resolves when all their processes have ended. */
  async close(): Promise<void> {
    this.#ending.abort(new Error("it is no longer needed"));
    await Promise.allSettled(this.#building);
  }

  /** The extension file for a choice of services. A build overtaken by a change is not cached. */
  current(choice: Choice = {}): Promise<ExtensionBundle> {
    const { tools } = this.#catalog.list();
    const remote = remoteSources(tools).filter((source) => isSelected(source, choice));
    const wireNames = Object.fromEntries(
      tools.filter((tool) => tool.wireName !== tool.name).map((tool) => [tool.name, tool.wireName]),
    );
    const found = bundleSources(this.host);
    // The names are part of the key because services that join during the start are not announced.
    const names = found.sources.map(({ name }) => name).toSorted();
    const key = JSON.stringify([choice.services?.toSorted(), choice.category, remote, wireNames, names]);
    const built = this.#built;
    const known = built.get(key);
    if (known) return known;
    const building = this.#build(choice, found, remote, wireNames);
    this.#building.add(building);
    building.catch(() => built.delete(key)).finally(() => this.#building.delete(building));
    built.set(key, building);
    const [oldest] = built.keys();
    if (built.size > MAX_CHOICES && oldest !== undefined) built.delete(oldest);
    return building;
  }

  async #build(
    choice: Choice,
    { sources, leftOut }: ReturnType<typeof bundleSources>,
    remote: RemoteSource[],
    wireNames: WireNames,
  ): Promise<ExtensionBundle> {
    const unknown = (choice.services ?? [])
      .filter((name) => ![...sources, ...remote].some((source) => source.name === name))
      .map((name) => ({ name, reason: "no loaded service of this name has a client half" }));
    try {
      const bundle = await buildTried(
        sources.filter((source) => isSelected(labelled(source), choice)),
        remote,
        wireNames,
        this.#ending.signal,
      );
      return { ...bundle, leftOut: [...leftOut, ...unknown, ...bundle.leftOut] };
    } catch (error) {
      throw new Error(`the extension file cannot be built: ${messageOf(error)}`, { cause: error });
    }
  }
}

function labelled({ name, capabilities }: BundleSource) {
  return { name, capabilities: capabilities && [...capabilities] };
}
