/** The process that starts the tests of services, looks after them and ends what they leave: see test-keeper.ts. */
import { messageOf } from "../../../src/core/errors.js";
import { lowerOwnPriority } from "../../../src/core/priority.js";
import { executeTests, type TestExecution } from "./execution.js";
import type { TestVerdict } from "./verdict.js";

/** Tests to run, or the number of a run to end. */
export type KeeperRequest =
  | (Omit<TestExecution, "signal"> & { number: number; end?: undefined })
  | { number: number; end: true };

/** What came of a run: a verdict, or why there is none. */
export interface KeeperAnswer {
  number: number;
  verdict?: TestVerdict;
  error?: string;
}

lowerOwnPriority();

const running = new Map<number, AbortController>();

process.on("message", async (request: KeeperRequest) => {
  const { number } = request;
  if (request.end) return running.get(number)?.abort();
  const controller = new AbortController();
  running.set(number, controller);
  const answer = await execute({ ...request, signal: controller.signal }, number);
  running.delete(number);
  if (process.connected) process.send?.(answer);
});

async function execute(execution: TestExecution, number: number): Promise<KeeperAnswer> {
  try {
    return { number, verdict: await executeTests(execution) };
  } catch (error) {
    return { number, error: messageOf(error) };
  }
}

/** How long what it looks after may take to end, in milliseconds. */
const END_LIMIT_MS = 3000;

// Without the server nobody waits for it. What is left then ends with it (--no-orphans).
process.on("disconnect", async () => {
  for (const controller of running.values()) controller.abort();
  const deadline = Date.now() + END_LIMIT_MS;
  while (running.size > 0 && Date.now() < deadline) await Bun.sleep(10);
  process.exit(0);
});
