/** How much the commands that plugins run may use. It is looked at now and then, as it is of workers. */

import { messageOf } from "../../core/errors.js";
import { yieldToEventLoop } from "../../core/event-loop.js";
import { processTrees } from "../../core/process-tree.js";
import type { BrokerLimits } from "../limits.js";
import { isFiltered, shareOf, usageOf } from "../usage.js";

/** A command that runs, and leads a process group. */
export interface RunningCommand {
  readonly pid: number;
  /** Whether it is: what launches and serves it is not, and does not count. */
  readonly confined: boolean;
  /** Commands of one owner may use so much together. */
  readonly owner: object;
  /** Called once, when it is the one that has to go: of what there was too much. */
  end(what: string): void;
}

type Limits = Pick<BrokerLimits, "maxMemory" | "maxThreads" | "memoryInterval">;

/** A command, its processes, and what they have of something. */
interface Look {
  command: RunningCommand;
  tree: number[];
  /** Of memory, what they share is counted for each. */
  memory: number;
  threads: number;
}

/** Ends commands that use more than one worker may, together with the others of their owner: the largest first. */
export class CommandWatch {
  readonly #running = new Set<RunningCommand>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly limits: Limits) {}

  /** Watches a command until what it returns is called. */
  watch(command: RunningCommand): () => void {
    this.#running.add(command);
    this.#timer ??= this.#later();
    return () => {
      this.#running.delete(command);
    };
  }

  /** Most commands are over before the first look, which costs some hundredths of a millisecond for each process. */
  #later(): ReturnType<typeof setTimeout> {
    return setTimeout(async () => {
      try {
        await this.#look();
      } catch (error) {
        console.warn(`reef: cannot measure what commands use: ${messageOf(error)}`);
      } finally {
        this.#timer = this.#running.size > 0 ? this.#later() : null;
      }
    }, this.limits.memoryInterval);
  }

  async #look(): Promise<void> {
    const commands = [...this.#running];
    const trees = await processTrees(commands.map(({ pid }) => pid));
    const looks = commands.map((command, index): Look => {
      const all = trees[index] ?? [];
      const tree = command.confined ? all.filter(isFiltered) : all;
      const usages = tree.map(usageOf);
      return {
        command,
        tree,
        memory: sum(usages.map((one) => one?.memory ?? 0)),
        threads: sum(usages.map((one) => one?.threads ?? 0)),
      };
    });
    for (const ones of Map.groupBy(looks, ({ command }) => command.owner).values()) await this.#check(ones);
  }

  async #check(ones: readonly Look[]): Promise<void> {
    const { maxMemory, maxThreads } = this.limits;
    this.#fit(ones, ({ threads }) => threads, maxThreads, "had too many threads");
    // That is quickly told, and almost always the end of it.
    if (sum(ones.map(({ memory }) => memory)) <= maxMemory) return;
    const shares = new Map<Look, number>();
    for (const one of ones) shares.set(one, await shareOfAll(one.tree));
    this.#fit(ones, (one) => shares.get(one) ?? 0, maxMemory, "used too much memory");
  }

  #fit(ones: readonly Look[], of: (one: Look) => number, most: number, what: string): void {
    let total = sum(ones.map(of));
    for (const one of ones.toSorted((a, b) => of(b) - of(a))) {
      if (total <= most) return;
      total -= of(one);
      if (this.#running.delete(one.command)) one.command.end(what);
    }
  }
}

async function shareOfAll(pids: readonly number[]): Promise<number> {
  let share = 0;
  for (const pid of pids) {
    share += shareOf(pid) ?? usageOf(pid)?.memory ?? 0;
    await yieldToEventLoop();
  }
  return share;
}

const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);
