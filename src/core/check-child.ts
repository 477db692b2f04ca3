/** The child process in which unknown services are tried: see checker.ts. Answers one request at a time. */
import { join } from "node:path";
import type { ModuleFacts } from "./checker.js";
import { dataDir } from "./config.js";
import { asLoadFailure } from "./discover.js";
import { Dispatcher } from "./dispatch.js";
import { EventBus } from "./events.js";
import { importGeneration } from "./generation.js";
import type { FailureStep, LoadFailureCode } from "./load-failure.js";
import { LogBook } from "./log.js";
import { Registry } from "./registry.js";

export interface CheckRequest {
  op: "import" | "start";
  dirNames: string[];
}

export interface CheckAnswer {
  ok: boolean;
  facts?: ModuleFacts;
  code?: LoadFailureCode;
  step?: FailureStep;
  message?: string;
}

/** The server's own limits apply outside; here nothing is cut short. */
const NO_LIMIT_MS = 2 ** 31 - 1;

const servicesDir = process.argv[2] as string;
const logs = new LogBook(() => undefined);
const log = logs.logger("check");

async function tryImport(dirName: string): Promise<CheckAnswer> {
  const generation = await importGeneration(
    join(servicesDir, dirName),
    dirName,
    logs,
    NO_LIMIT_MS,
    dataDir(),
  );
  const { name, dependencies = [], init } = generation.module;
  await generation.dispose();
  return { ok: true, facts: { name, dependencies, hasInit: init !== undefined } };
}

async function tryStart(dirNames: string[]): Promise<CheckAnswer> {
  const dispatcher = new Dispatcher({
    authenticate: () => true,
    maxBodyBytes: NO_LIMIT_MS,
    health: () => new Response(),
    log,
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
    for (const dirName of dirNames) await registry.load(dirName);
    return { ok: true };
  } finally {
    await registry.close(0);
  }
}

process.on("message", async (request: CheckRequest) => {
  let answer: CheckAnswer;
  try {
    answer =
      request.op === "import"
        ? await tryImport(request.dirNames[0] as string)
        : await tryStart(request.dirNames);
  } catch (error) {
    const { code, step, message } = asLoadFailure(error);
    answer = { ok: false, code, step, message };
  }
  process.send?.(answer);
});

// An orphan would stay for ever.
process.on("disconnect", () => process.exit(0));
