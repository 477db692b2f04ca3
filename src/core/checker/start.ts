/** Starts services in a child process as the server would, and stops them again. */

import { load } from "../changes/load.js";
import { endService, endServices } from "../changes/shutdown.js";
import { dataDir } from "../config.js";
import { Dispatcher } from "../dispatch.js";
import { afterDueTimers } from "../event-loop.js";
import { EventBus } from "../events.js";
import type { LogBook } from "../log.js";
import { Registry } from "../registry.js";
import { NO_LIMIT_MS } from "../scope.js";

/** What starting services in the child needs. */
export interface StartTrials {
  servicesDir: string;
  logs: LogBook;
  /** Removes what trials left behind, if nothing else is being tried. */
  cleanUp(): void;
}

/** How long dependencies keep running for further trials that need them, in milliseconds. */
const KEPT_MS = 500;

/** Dependencies that keep running for other trials, each of which would otherwise have to start them. */
let kept: Stage | undefined;
/** Stages that are shutting down. */
const leaving = new Set<Promise<void>>();

/** Whether services run, or are shutting down, that no current trial has started. */
export const isOccupied = () => kept !== undefined || leaving.size > 0;

/** Ends services kept for further trials. Resolves when all shutdowns are over. */
export async function vacate(): Promise<void> {
  await kept?.end();
  await Promise.all(leaving);
}

/** Starts folders in this order; the last one is being tried. `onStarted` is called after each of the others. */
export async function tryStart(
  trials: StartTrials,
  dirNames: readonly string[],
  onStarted: () => void,
): Promise<void> {
  const needed = dirNames.slice(0, -1);
  const tried = dirNames.at(-1) as string;
  const trial = (stage: Stage) => stage.tryLast(needed, tried, onStarted);
  if (needed.length === 0) return new Stage(trials).use(trial);
  if (kept?.fits(needed, tried)) {
    try {
      return await kept.use(trial);
    } catch {
      // Possibly caused by earlier trials on this stage. If not, a fresh stage fails in the same way.
      onStarted();
      await clear(trials);
      return new Stage(trials).use(trial);
    }
  }
  await kept?.end();
  await clear(trials);
  // A concurrent trial may have created a stage with the same dependencies.
  kept ??= new Stage(trials, KEPT_MS);
  return (kept.fits(needed, tried) ? kept : new Stage(trials)).use(trial);
}

/** Cleans up after all shutdowns: what a service saves at its end must not be seen by the next trial. */
async function clear({ cleanUp }: StartTrials): Promise<void> {
  await Promise.all(leaving);
  cleanUp();
}

/** A registry in which services run for trials. It ends with the last trial, or `keptMs` later. */
class Stage {
  readonly #registry: Registry;
  readonly #keptMs: number | undefined;
  /** The started dependencies by folder, with their code's digest. */
  readonly #started = new Map<string, { digest: string | undefined; over: Promise<unknown> }>();
  #users = 0;
  #isOver = false;
  #ending: ReturnType<typeof setTimeout> | undefined;

  constructor({ servicesDir, logs }: StartTrials, keptMs?: number) {
    this.#keptMs = keptMs;
    const dispatcher = new Dispatcher({
      authenticate: () => true,
      maxBodyBytes: NO_LIMIT_MS,
      health: () => new Response(),
      log: logs.logger("check"),
    });
    this.#registry = new Registry({
      servicesDir,
      dataDir: dataDir(),
      events: new EventBus(),
      logs,
      dispatcher,
      persistent: false,
      initTimeoutMs: NO_LIMIT_MS,
      drainTimeoutMs: 0,
    });
  }

  /** Whether all its services are still current, and the folder to be tried is not among them. */
  fits(needed: readonly string[], tried: string): boolean {
    if (this.#started.has(tried)) return false;
    const { trials } = this.#registry;
    return needed.every((dirName) => {
      const started = this.#started.get(dirName);
      return !started || started.digest === trials.digestOf(dirName);
    });
  }

  async use<T>(trial: (stage: this) => Promise<T>): Promise<T> {
    clearTimeout(this.#ending);
    this.#users++;
    let isGood = false;
    try {
      const result = await trial(this);
      isGood = true;
      return result;
    } finally {
      this.#users--;
      if (!isGood || this.#isOver || this.#keptMs === undefined) await this.end();
      else if (this.#users === 0) this.#ending = setTimeout(() => void this.end(), this.#keptMs);
    }
  }

  /** Accepts no further trials; ends when the current ones have. */
  async end(): Promise<void> {
    this.#isOver = true;
    if (kept === this) kept = undefined;
    if (this.#users > 0) return;
    clearTimeout(this.#ending);
    const ended = endServices(this.#registry, 0).finally(() => leaving.delete(ended));
    leaving.add(ended);
    await ended;
  }

  async tryLast(needed: readonly string[], tried: string, onStarted: () => void): Promise<void> {
    for (const dirName of needed) {
      await this.#start(dirName);
      onStarted();
    }
    await load(this.#registry, tried);
    await afterDueTimers();
    const service = this.#registry.table.byFolder(tried);
    if (service) await endService(this.#registry, service, 0);
  }

  #start(dirName: string): Promise<unknown> {
    const known = this.#started.get(dirName);
    if (known) return known.over;
    const digest = this.#registry.trials.digestOf(dirName);
    const over = load(this.#registry, dirName);
    this.#started.set(dirName, { digest, over });
    return over;
  }
}
