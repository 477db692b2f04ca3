/** Part of every bundle: says what its services are and what they register, without an agent. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../../core/client.js";
import { messageOf } from "../../../core/errors.js";
import { plainSchema } from "../../../core/tools/schema.js";
import type { ServiceModule } from "../../../core/types.js";
import { evaluate, UNIT_LIMIT_MS, type Unit } from "./loader.js";

/** What one service of a bundle turned out to be. */
export interface UnitReport {
  unit: string;
  /** The name that its module says; absent when it could not be evaluated. */
  name?: string;
  capabilities?: string[];
  hasClientHalf?: boolean;
  /** Why it cannot be in the bundle. */
  error?: string;
  /** Names of the tools it registers. */
  tools?: string[];
  /** What it threw while it registered. */
  failures?: string[];
}

/** A report, or the unit that is about to be tried. */
export type Progress = UnitReport | { begin: string };

/** Evaluates every unit, then lets each register with a pi that only takes notes. */
export async function inspectUnits(
  units: readonly Unit[],
  tell: (progress: Progress) => void,
): Promise<void> {
  const modules: Array<[unit: string, module: ServiceModule]> = [];
  __reef.evaluating = true;
  for (const { name: unit, ...rest } of units) {
    tell({ begin: unit });
    try {
      const module = await evaluate({ name: unit, ...rest }, UNIT_LIMIT_MS);
      const { name, capabilities, registerTools, registerBehaviors, widget } = module;
      tell({
        unit,
        name,
        capabilities,
        hasClientHalf: Boolean(registerTools || registerBehaviors || widget),
      });
      modules.push([unit, module]);
    } catch (error) {
      tell({ unit, error: messageOf(error) });
    }
  }
  __reef.evaluating = false;
  for (const [unit, module] of modules) {
    tell({ begin: unit });
    tell({ unit, ...register(module) });
  }
}

function register(module: ServiceModule): { tools: string[]; failures: string[] } {
  const tools: string[] = [];
  const failures: string[] = [];
  const nothing = () => undefined;
  const registerTool = ({ name, parameters }: ToolDefinition) => {
    try {
      plainSchema(parameters);
      tools.push(String(name));
    } catch (error) {
      failures.push(`tool "${name}" is skipped: ${messageOf(error)}`);
    }
  };
  const pi = new Proxy({} as ExtensionAPI, {
    get: (_target, key) => {
      if (key === "registerTool") return registerTool;
      return key === "events" ? { on: () => nothing, emit: nothing } : nothing;
    },
  });
  const client = createFleetClient({ env: {} });
  for (const half of ["registerTools", "registerBehaviors"] as const) {
    try {
      module[half]?.(pi, client);
    } catch (error) {
      failures.push(`${half} threw: ${messageOf(error)}`);
    }
  }
  return { tools, failures };
}
