/** Selects which services an agent uses. */
import { readAgentEnvironment } from "../config.js";
import type { ServiceModule } from "../types.js";

type Labelled = Pick<ServiceModule, "name" | "capabilities">;

/**
 * Whether an agent uses a service. `REEF_SERVICES` lists the only services it uses. Without it, or when the
 * list is empty, `REEF_CATEGORY` excludes services whose `capabilities` do not include that category.
 */
export function isSelected(
  { name, capabilities }: Labelled,
  choice: { services?: readonly string[] | undefined; category?: string | undefined },
): boolean {
  if (choice.services?.length) return choice.services.includes(name);
  if (choice.category === undefined || !capabilities?.length) return true;
  return capabilities.includes(choice.category);
}

/** The selection in an agent's environment. */
export function selectionFrom(env?: Record<string, string | undefined>) {
  const { services, agentCategory } = readAgentEnvironment(env);
  return { services, category: agentCategory };
}
