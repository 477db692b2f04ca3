/** Services are started in a process for checks as the server would start them, and stopped again. */
import { whatIsDue } from "./breathe.js";
import { dataDir } from "./config.js";
import { Dispatcher } from "./dispatch.js";
import { EventBus } from "./events.js";
import { load } from "./load.js";
import type { LogBook } from "./log.js";
import { Registry } from "./registry.js";
import { NO_LIMIT_MS } from "./scope.js";
import { endService, endServices } from "./shutdown.js";

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

/** Settles when all that has ended is gone. */
let leaving: Promise<unknown> = Promise.resolve();

/** Whether anything is running here for trials to come. */
export const isKeeping = () => kept !== undefined;

/** Ends that. */
export const endKept = async () => kept?.end();

/** Starts folders, in this order, the last of which is what is tried. `onStarted` is told of each but the last. */
export async function tryStart(
  trials: StartTrials,
  dirNames: readonly string[],
  onStarted: () => void,
): Promise<void> {
  const needed = dirNames.slice(0, -1);
  const tried = dirNames.at(-1) as string;
  if (needed.length === 0) return new Stage(trials).use((stage) => stage.tryOne(tried));
  const before = kept?.fits(needed, tried) ? kept : undefined;
  if (before) {
    try {
      return await before.use((stage) => stage.tryLast(needed, tried, onStarted));
    } catch {
      // It may be due to what others have left there. If it is not, this comes out once more.
      onStarted();
    }
  } else await endKept();
  // What one of them saves at its end is nothing for the next.
  await leaving;
  trials.cleanUp();
  kept = new Stage(trials, KEPT_MS);
  return kept.use((stage) => stage.tryLast(needed, tried, onStarted));
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
      if (!isGood || this.#keptMs === undefined) await this.end();
      else if (this.#isOver) await this.#endIfUnused();
      else if (this.#users === 0) this.#ending = setTimeout(() => void this.end(), this.#keptMs);
    }
  }

  /** Nobody else uses it; it ends when nobody does. */
  async end(): Promise<void> {
    this.#isOver = true;
    if (kept === this) kept = undefined;
    await this.#endIfUnused();
  }

  async #endIfUnused(): Promise<void> {
    if (this.#users > 0) return;
    clearTimeout(this.#ending);
    leaving = Promise.all([leaving, endServices(this.#registry, 0)]);
    await leaving;
  }

  async tryLast(needed: readonly string[], tried: string, onStarted: () => void): Promise<void> {
    for (const dirName of needed) {
      await this.#start(dirName);
      onStarted();
    }
    await this.tryOne(tried);
  }

  #start(dirName: string): Promise<unknown> {
    const known = this.#started.get(dirName);
    if (known) return known.over;
    const digest = this.#registry.trials.digestOf(dirName);
    const over = load(this.#registry, dirName);
    this.#started.set(dirName, { digest, over });
    return over;
  }

  async tryOne(dirName: string): Promise<void> {
    await load(this.#registry, dirName);
    await whatIsDue();
    const service = this.#registry.table.byFolder(dirName);
    if (service) await endService(this.#registry, service, 0);
  }
}
