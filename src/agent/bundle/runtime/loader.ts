/** Loads the services of a bundle independently of each other and combines them into one extension. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../../../core/errors.js";
import { Owner } from "../../../core/extension/owner.js";
import { reportToService } from "../../../core/extension/owner-context.js";
import { isSelected, selectionFrom } from "../../../core/extension/selection.js";
import { guardUnhandled, sourceOf } from "../../../core/extension/unhandled.js";
import { createExtension } from "../../../core/extension.js";
import type { ServiceModule } from "../../../core/types.js";
import type { BundleState } from "./state.js";

/** A service of the bundle. `load` evaluates its modules. */
export interface Unit {
  name: string;
  capabilities?: string[];
  load(): Promise<{ default?: unknown }>;
}

/** How long one service, and all services together, may evaluate asynchronously; in milliseconds. */
export const UNIT_LIMIT_MS = 300;
const TOTAL_LIMIT_MS = 700;

interface Loaded {
  modules: ServiceModule[];
  problems: string[];
}

/** Evaluates one unit. Rejects when it fails or takes longer than `ms` milliseconds. */
export async function evaluate(unit: Unit, ms: number): Promise<ServiceModule> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = __reef.real.setTimeout(() => reject(new Error("its modules did not load in time")), ms);
  });
  try {
    const loading = unit.load();
    loading.catch(() => undefined);
    const { default: module } = await Promise.race([loading, late]);
    if (typeof module !== "object" || module === null || typeof (module as ServiceModule).name !== "string") {
      throw new Error("its default export is not a service");
    }
    return module as ServiceModule;
  } finally {
    __reef.real.clearTimeout(timer);
  }
}

/** Evaluates units in sequence. The stand-ins become real when the last one is done. */
async function loadAll(units: readonly Unit[], report: BundleState["report"]): Promise<Loaded> {
  const loaded: Loaded = { modules: [], problems: [] };
  const deadline = performance.now() + TOTAL_LIMIT_MS;
  const owned = units.map((unit) => {
    const owner = new Owner((error) => report(`unhandled error in ${unit.name}`, error));
    return { unit, owner };
  });
  __reef.evaluating = true;
  for (const { unit, owner } of owned) {
    try {
      const left = Math.min(UNIT_LIMIT_MS, deadline - performance.now());
      if (left <= 0) throw new Error("earlier services used up the time limit");
      loaded.modules.push(await owner.run(() => evaluate(unit, left)));
    } catch (error) {
      loaded.problems.push(`${unit.name} was skipped: ${messageOf(error)}`);
    }
  }
  __reef.evaluating = false;
  return loaded;
}

/**
 * Creates the default export of a bundle. It never rejects: an agent without Reef's tools is better than none.
 *
 * @param url The bundle's URL.
 */
export function createFactory(units: readonly Unit[], url: string): (pi: ExtensionAPI) => Promise<void> {
  const codeFile = sourceOf(new Error());
  let loading: Promise<Loaded> | undefined;
  return async (pi) => {
    try {
      loading ??= start(units, codeFile);
      const { modules, problems } = await loading;
      createExtension(modules, { origin: url, codeFile, problems, wireNames: __reef.wireNames })(pi);
    } catch (error) {
      __reef.real.console.warn(`[reef] could not be loaded: ${messageOf(error)}`);
    }
  };
}

function start(units: readonly Unit[], codeFile: string | undefined): Promise<Loaded> {
  const report: BundleState["report"] = (where, error) =>
    __reef.real.console.warn(`[reef] ${where}: ${messageOf(error)}`);
  // Errors of a service's callbacks are attributed to it, whoever calls them.
  __reef.report = (where, error) => {
    if (!reportToService(error)) report(where, error);
  };
  guardUnhandled((error) => report("unhandled error in a service", error), codeFile);
  const choice = selectionFrom();
  return loadAll(
    units.filter((unit) => isSelected(unit, choice)),
    report,
  );
}
