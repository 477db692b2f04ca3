/** The child process in which unknown services are tried: see checker.ts. */
// Nearly every service imports it: it is there before the first one comes.
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
// For this process alone, which runs code once: what that starts may run for long.
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
  // With its end goes what it has still to do, which the server would come to do.
  await afterDueTimers();
  await generation.dispose();
  return { ok: true, facts: { name, dependencies, hasInit: init !== undefined } };
}

let key: string | undefined;
// Taken before any code is there that could put something else in its place.
const send = process.send?.bind(process);
const tell = (message: Omit<FromChild, "key">) => void send?.({ ...message, key } satisfies FromChild);

type NumberedJob = NonNullable<ToChild["jobs"]>[number];

const waiting: NumberedJob[] = [];
/** Jobs that have been begun and may still turn out to be quick. */
let quick = 0;
let running = 0;
/** Whether anything has been tried here. */
let isUsed = false;
/** Loaded with the first `init`: most code has none. */
let starts: typeof import("./start.js") | undefined;
let isVacating = false;
let answers: NonNullable<FromChild["answers"]> = [];
let telling: ReturnType<typeof setTimeout> | undefined;

process.on("message", ({ jobs = [], key: given }: ToChild) => {
  key ??= given;
  waiting.push(...jobs);
  // Also without jobs it is a sign of life.
  begin();
});

function begin(): void {
  const [next] = waiting;
  // What runs or saves there is in the way of cleaning up.
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

/** What earlier trials have left is nothing that the next ones would find in the server. */
function cleanUp(except = 0): void {
  if (!isUsed || running > except || starts?.isOccupied()) return;
  try {
    // Most code leaves nothing behind.
    const left = readdirSync(folder).map((name) => join(folder, name));
    if (left.join() === data && readdirSync(data).length === 0) return;
    for (const path of left) rmSync(path, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
  } catch (error) {
    // What cannot be removed stays: a trial that minds says so.
    console.warn(`cannot clean ${folder}: ${messageOf(error)}`);
  }
}

async function execute({ number, ...request }: NumberedJob): Promise<void> {
  let isQuick = true;
  const makeRoom = () => {
    if (isQuick) quick--;
    isQuick = false;
    // Several at a time: to say what has been begun takes a message.
    if (waiting.length > 0 && quick === 0) begin();
  };
  const slow = setTimeout(makeRoom, SLOW_MS);
  const result = await answer(run(request, number));
  // Code that has come this far may still never let go of the thread.
  await yieldToEventLoop();
  answers.push({ number, answer: result });
  clearTimeout(slow);
  running--;
  if (running === 0) tellAnswers();
  else telling ??= setTimeout(tellAnswers, TOGETHER_MS);
  makeRoom();
}

/** How long an answer may wait for others, in milliseconds: a message costs more than most imports. */
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

// An orphan would stay for ever.
process.on("disconnect", () => process.exit(0));
