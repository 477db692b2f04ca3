/** Services are started in a process for checks as the server would start them, and stopped again. */

import { load } from "../changes/load.js";
import { endService, endServices } from "../changes/shutdown.js";
import { dataDir } from "../config.js";
import { Dispatcher } from "../dispatch.js";
import { afterDueTimers } from "../event-loop.js";
import { EventBus } from "../events.js";
import type { LogBook } from "../log.js";
import { Registry } from "../registry.js";
import { NO_LIMIT_MS } from "../scope.js";

export interface StartTrials {
  servicesDir: string;
  logs: LogBook;
  /** Removes what trials have left, if nothing else is being tried. */
  cleanUp(): void;
}

/** How long services that others need are kept for the next of those, in milliseconds. */
const KEPT_MS = 500;

/** What others need, while there are trials of those: each would have to wait for it to start. */
let kept: Stage | undefined;
/** Stages that are ending. */
const leaving = new Set<Promise<void>>();

/** Whether anything runs here that no trial under way has started, or is still ending. */
export const isOccupied = () => kept !== undefined || leaving.size > 0;

/** Ends what runs for trials to come. Resolves when it is gone, with all that was ending already. */
export async function vacate(): Promise<void> {
  await kept?.end();
  await Promise.all(leaving);
}

/** Starts folders, in this order, the last of which is what is tried. `onStarted` is told of each but the last. */
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
      // It may be due to what others have left there. If it is not, this comes out once more.
      onStarted();
      await clear(trials);
      return new Stage(trials).use(trial);
    }
  }
  await kept?.end();
  await clear(trials);
  // Somebody else may have needed the same meanwhile.
  kept ??= new Stage(trials, KEPT_MS);
  return (kept.fits(needed, tried) ? kept : new Stage(trials)).use(trial);
}

/** What one of them saves at its end is nothing for the next. */
async function clear({ cleanUp }: StartTrials): Promise<void> {
  await Promise.all(leaving);
  cleanUp();
}

/** Where services run for trials. It ends with the last of those, or some time later. */
class Stage {
  readonly #registry: Registry;
  readonly #keptMs: number | undefined;
  /** Those that are needed, by folder, with the code that they have. */
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

  /** Whether it has nothing that these folders do not hold any more, and not yet what is to be tried. */
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

  /** Nobody else uses it; it ends when nobody does. */
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
