/** The child process in which unknown services are tried: see checker.ts. Answers requests in their order. */
import { join } from "node:path";
import type { ModuleFacts } from "./checker.js";
import { dataDir } from "./config.js";
import { asLoadFailure } from "./discover.js";
import { importGeneration } from "./generation.js";
import type { FailureStep, LoadFailureCode } from "./load-failure.js";
import { LogBook } from "./log.js";
import { lowerOwnPriority } from "./priority.js";
import { NO_LIMIT_MS } from "./scope.js";

/** Folders to import side by side, or to start one after the other. */
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

/** As they are sent: each answer names the request that it belongs to. */
export type NumberedRequest = CheckRequest & { number: number };
/**
 * One answer for each folder that was to be imported, one for all that were to be started; none yet says that the
 * request has been begun.
 */
export type NumberedAnswers = { answers?: CheckAnswer[]; number: number };

lowerOwnPriority();

const servicesDir = process.argv[2] as string;
const logs = new LogBook(() => undefined);

async function tryImport(dirName: string): Promise<CheckAnswer> {
  const generation = await importGeneration({
    dir: join(servicesDir, dirName),
    label: dirName,
    logs,
    timeoutMs: NO_LIMIT_MS,
    dataDir: dataDir(),
  });
  const { name, dependencies = [], init } = generation.module;
  await generation.dispose();
  return { ok: true, facts: { name, dependencies, hasInit: init !== undefined } };
}

let last: Promise<unknown> = Promise.resolve();

// One after the other, so that whoever sees this process end knows which of its jobs ended it.
process.on("message", ({ number, ...request }: NumberedRequest) => {
  last = last.then(async () => {
    process.send?.({ number } satisfies NumberedAnswers);
    const numbered: NumberedAnswers = { answers: await answersTo(request), number };
    process.send?.(numbered);
  });
});

function answersTo({ op, dirNames }: CheckRequest): Promise<CheckAnswer[]> {
  const tries = op === "import" ? dirNames.map((dirName) => tryImport(dirName)) : [start(dirNames)];
  return Promise.all(tries.map(answer));
}

async function start(dirNames: string[]): Promise<CheckAnswer> {
  // Most code has no init to start: the rest of the server is loaded when some has.
  const { tryStart } = await import("./check-start.js");
  await tryStart(servicesDir, dirNames, logs);
  return { ok: true };
}

async function answer(trying: Promise<CheckAnswer>): Promise<CheckAnswer> {
  try {
    return await trying;
  } catch (error) {
    const { code, step, message } = asLoadFailure(error);
    return { ok: false, code, step, message };
  }
}

// An orphan would stay for ever.
process.on("disconnect", () => process.exit(0));
