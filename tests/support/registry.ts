import type { LoadFailure } from "../../src/core/load-failure.js";
import { type Files, type Reef, startReef } from "./sandbox.js";

const open: Reef[] = [];

/** A server with these services, and its registry. */
export async function startRegistry(services: Files = {}, options: Parameters<typeof startReef>[1] = {}) {
  const reef = await startReef(services, options);
  open.push(reef);
  return { reef, registry: reef.ctx.registry };
}

/** Ends the servers that a test started; call it after each. */
export async function endRegistries(): Promise<void> {
  for (const reef of open.splice(0)) await reef.end();
}

/** Why folders are not served: the code of each failure by name. */
export const reasons = (reef: Reef) =>
  Object.fromEntries(reef.registry.failures.list().map(({ name, code }) => [name, code]));

/** Why a change of the registry failed; throws when it did not. */
export const failure = (change: Promise<unknown>): Promise<LoadFailure> =>
  change.then(
    () => {
      throw new Error("it succeeded");
    },
    (error) => error,
  );
