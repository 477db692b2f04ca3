/** Which services an agent uses. */
import { readAgentEnvironment } from "../config.js";
import type { ServiceModule } from "../types.js";

type Labelled = Pick<ServiceModule, "name" | "capabilities">;

/**
 * Whether an agent uses a service. `REEF_SERVICES` names the only ones it does; without it, or when it names none,
 * `REEF_CATEGORY` leaves out services whose `capabilities` name categories, but not this one.
 */
export function isSelected(
  { name, capabilities }: Labelled,
  choice: { services?: readonly string[] | undefined; category?: string | undefined },
): boolean {
  if (choice.services?.length) return choice.services.includes(name);
  if (choice.category === undefined || !capabilities?.length) return true;
  return capabilities.includes(choice.category);
}

/** The choice that an agent's environment makes. */
export function selectionFrom(env?: Record<string, string | undefined>) {
  const { services, agentCategory } = readAgentEnvironment(env);
  return { services, category: agentCategory };
}
