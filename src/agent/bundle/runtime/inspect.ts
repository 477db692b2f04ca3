/** Part of every bundle: reports its services and what they register, without an agent. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../../core/client.js";
import { messageOf } from "../../../core/errors.js";
import { plainSchema } from "../../../core/tools/schema.js";
import type { ServiceModule } from "../../../core/types.js";
import { evaluate, UNIT_LIMIT_MS, type Unit } from "./loader.js";

/** The report about one service of a bundle. */
export interface UnitReport {
  unit: string;
  /** The module's name; absent when it could not be evaluated. */
  name?: string;
  capabilities?: string[];
  hasClientHalf?: boolean;
  /** Why it cannot be bundled. */
  error?: string;
  /** The names of the tools that it registers. */
  tools?: string[];
  /** Errors of its registration functions. */
  failures?: string[];
}

/** A report, or the unit that is about to be evaluated. */
export type Progress = UnitReport | { begin: string };

/** Evaluates all units, then lets each register with a recording pi. */
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
