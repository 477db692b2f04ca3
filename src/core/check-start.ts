import { whatIsDue } from "./breathe.js";
import { dataDir } from "./config.js";
import { Dispatcher } from "./dispatch.js";
import { EventBus } from "./events.js";
import { load } from "./load.js";
import type { LogBook } from "./log.js";
import { Registry } from "./registry.js";
import { NO_LIMIT_MS } from "./scope.js";
import { endServices } from "./shutdown.js";

/**
 * Starts service folders as the server would, in a process for checks, and stops them again. `onStarted` is told of each
 * but the last.
 */
export async function tryStart(
  servicesDir: string,
  dirNames: string[],
  logs: LogBook,
  onStarted: () => void,
): Promise<void> {
  const dispatcher = new Dispatcher({
    authenticate: () => true,
    maxBodyBytes: NO_LIMIT_MS,
    health: () => new Response(),
    log: logs.logger("check"),
  });
  const limits = { initTimeoutMs: NO_LIMIT_MS, drainTimeoutMs: 0 };
  const registry = new Registry({
    servicesDir,
    dataDir: dataDir(),
    events: new EventBus(),
    logs,
    dispatcher,
    persistent: false,
    ...limits,
  });
  try {
    for (const [at, dirName] of dirNames.entries()) {
      if (at > 0) onStarted();
      await load(registry, dirName);
    }
    await whatIsDue();
  } finally {
    await endServices(registry, 0);
  }
}
