/** Keeps the extension file in step with the services. */
import { messageOf } from "../core/errors.js";
import { isSelected } from "../core/extension/selection.js";
import type { ServiceContext } from "../core/types.js";
import { type BundleSource, buildExtension, type ExtensionBundle, type LeftOut } from "./bundle/build.js";
import { inspectBundle } from "./bundle/inspect.js";
import { bundleSources } from "./sources.js";

/** Which services an extension file is for; all when nothing is said. */
export interface Choice {
  services?: readonly string[];
  category?: string;
}

type Host = Pick<ServiceContext, "registry" | "servicesDir">;

/** Files for different choices of services that are kept at the same time. */
const MAX_CHOICES = 8;

/**
 * Builds an extension file and tries it: services that fail while they are loaded are left out and named, so
 * that no agent has to find out.
 */
export async function buildTried(sources: readonly BundleSource[]): Promise<ExtensionBundle> {
  const started = performance.now();
  const failed: LeftOut[] = [];
  let bundle = await buildExtension(sources);
  for (let tries = 0; tries <= sources.length && bundle.services.length > 0; tries++) {
    const reports = await inspectBundle(bundle.code);
    const bad = reports.flatMap(({ unit, error }) =>
      error === undefined ? [] : [{ name: unit, reason: error }],
    );
    if (bad.length === 0) break;
    failed.push(...bad);
    const names = new Set([...failed, ...bundle.leftOut].map(({ name }) => name));
    const rest = await buildExtension(sources.filter(({ name }) => !names.has(name)));
    bundle = { ...rest, leftOut: [...bundle.leftOut, ...rest.leftOut] };
  }
  return { ...bundle, leftOut: [...bundle.leftOut, ...failed], builtInMs: performance.now() - started };
}

/** Builds on demand and keeps what it built until {@link ExtensionBuilder.invalidate} is called. */
export class ExtensionBuilder {
  #built = new Map<string, Promise<ExtensionBundle>>();

  constructor(private readonly host: Host) {}

  /** Services have changed: the next request builds anew. */
  invalidate(): void {
    this.#built = new Map();
  }

  /** The extension file of these services. A build that a change overtakes is not kept. */
  current(choice: Choice = {}): Promise<ExtensionBundle> {
    const key = JSON.stringify([choice.services?.toSorted(), choice.category]);
    const built = this.#built;
    const known = built.get(key);
    if (known) return known;
    const building = this.#build(choice);
    building.catch(() => built.delete(key));
    built.set(key, building);
    const [oldest] = built.keys();
    if (built.size > MAX_CHOICES && oldest !== undefined) built.delete(oldest);
    return building;
  }

  async #build(choice: Choice): Promise<ExtensionBundle> {
    const { sources, leftOut } = bundleSources(this.host);
    const unknown = (choice.services ?? [])
      .filter((name) => !sources.some((source) => source.name === name))
      .map((name) => ({ name, reason: "no loaded service of this name has a client half" }));
    try {
      const bundle = await buildTried(sources.filter((source) => isSelected(labelled(source), choice)));
      return { ...bundle, leftOut: [...leftOut, ...unknown, ...bundle.leftOut] };
    } catch (error) {
      throw new Error(`the extension file cannot be built: ${messageOf(error)}`, { cause: error });
    }
  }
}

function labelled({ name, capabilities }: BundleSource) {
  return { name, capabilities: capabilities && [...capabilities] };
}
