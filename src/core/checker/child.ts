/** The child process in which unknown services are tried; see checker.ts. */
// Nearly every service imports it, so it is loaded in advance.
import "hono";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dataDir } from "../config.js";
import { messageOf } from "../errors.js";
import { afterDueTimers, yieldToEventLoop } from "../event-loop.js";
import { importGeneration } from "../generation.js";
import { asLoadFailure } from "../load-failure.js";
import { LogBook } from "../log.js";
import { lowerOwnPriority } from "../priority.js";
import { NO_LIMIT_MS } from "../scope.js";
import { containStrayErrors } from "../server/stray-errors.js";
import { hintFor } from "./hints.js";
import {
  type CheckAnswer,
  type CheckRequest,
  type FromChild,
  LAZY_JIT,
  MAX_CONCURRENT,
  SLOW_MS,
  type ToChild,
} from "./messages.js";

lowerOwnPriority();
// Applies to this process only, which runs code once; processes started from here may run long.
delete process.env[LAZY_JIT[0]];

// As in the server.
containStrayErrors(() => undefined);

const servicesDir = process.argv[2] as string;
const folder = process.cwd();
const data = dataDir();
mkdirSync(data, { recursive: true });
const logs = new LogBook(() => undefined);

async function tryImport(dirName: string): Promise<CheckAnswer> {
  const generation = await importGeneration({
    dir: join(servicesDir, dirName),
    label: dirName,
    logs,
    timeoutMs: NO_LIMIT_MS,
    dataDir: data,
  });
  const { name, dependencies = [], init } = generation.module;
  // Disposing cancels pending timers, whose callbacks the server would run.
  await afterDueTimers();
  await generation.dispose();
  return { ok: true, facts: { name, dependencies, hasInit: init !== undefined } };
}

let key: string | undefined;
// Captured before tried code could replace it.
const send = process.send?.bind(process);
const tell = (message: Omit<FromChild, "key">) => void send?.({ ...message, key } satisfies FromChild);

type NumberedJob = NonNullable<ToChild["jobs"]>[number];

const waiting: NumberedJob[] = [];
/** Jobs that have begun and are not slow yet. */
let quick = 0;
let running = 0;
/** Whether this process has tried anything yet. */
let isUsed = false;
/** Loaded with the first `init`; most code has none. */
let starts: typeof import("./start.js") | undefined;
let isVacating = false;
let answers: NonNullable<FromChild["answers"]> = [];
let telling: ReturnType<typeof setTimeout> | undefined;

process.on("message", ({ jobs = [], key: given }: ToChild) => {
  key ??= given;
  waiting.push(...jobs);
  // A message without jobs is a ping, which `begin` answers.
  begin();
});

function begin(): void {
  const [next] = waiting;
  // Services kept for other trials must end before the folder can be cleaned.
  if (next && !needsOthers(next) && running === 0 && starts?.isOccupied()) {
    tell({ begun: [] });
    if (isVacating) return;
    isVacating = true;
    void starts.vacate().finally(() => {
      isVacating = false;
      begin();
    });
    return;
  }
  const begun = waiting.splice(0, MAX_CONCURRENT - quick);
  if (begun.length > 0) {
    cleanUp();
    isUsed = true;
  }
  tell({ begun: begun.map(({ number }) => number) });
  quick += begun.length;
  running += begun.length;
  for (const job of begun) void execute(job);
}

const needsOthers = ({ op, dirNames }: CheckRequest) => op === "start" && dirNames.length > 1;

/** Removes what earlier trials left behind: the next ones would not find it in the server either. */
function cleanUp(except = 0): void {
  if (!isUsed || running > except || starts?.isOccupied()) return;
  try {
    // The common case: nothing was left behind.
    const left = readdirSync(folder).map((name) => join(folder, name));
    if (left.join() === data && readdirSync(data).length === 0) return;
    for (const path of left) rmSync(path, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
  } catch (error) {
    // Leftovers that cannot be removed stay; a trial that depends on them reports that.
    console.warn(`cannot clean ${folder}: ${messageOf(error)}`);
  }
}

async function execute({ number, ...request }: NumberedJob): Promise<void> {
  let isQuick = true;
  const makeRoom = () => {
    if (isQuick) quick--;
    isQuick = false;
    // Begun in batches, since reporting each costs a message.
    if (waiting.length > 0 && quick === 0) begin();
  };
  const slow = setTimeout(makeRoom, SLOW_MS);
  const result = await answer(run(request, number));
  // The code may still block the thread now.
  await yieldToEventLoop();
  answers.push({ number, answer: result });
  clearTimeout(slow);
  running--;
  if (running === 0) tellAnswers();
  else telling ??= setTimeout(tellAnswers, TOGETHER_MS);
  makeRoom();
}

/** How long an answer may wait to be batched, in milliseconds: a message costs more than most imports. */
const TOGETHER_MS = 5;

function tellAnswers(): void {
  clearTimeout(telling);
  telling = undefined;
  tell({ answers });
  answers = [];
}

function run({ op, dirNames }: CheckRequest, number: number): Promise<CheckAnswer> {
  return op === "import" ? tryImport(dirNames[0] as string) : start(dirNames, number);
}

async function start(dirNames: string[], number: number): Promise<CheckAnswer> {
  starts ??= await import("./start.js");
  const trials = { servicesDir, logs, cleanUp: () => cleanUp(1) };
  await starts.tryStart(trials, dirNames, () => tell({ advanced: [number] }));
  return { ok: true };
}

async function answer(trying: Promise<CheckAnswer>): Promise<CheckAnswer> {
  try {
    return await trying;
  } catch (error) {
    const { code, step, message, cause } = asLoadFailure(error);
    return { ok: false, code, step, message: message + hintFor(cause, data) };
  }
}

// Otherwise an orphaned child would stay for ever.
process.on("disconnect", () => process.exit(0));
