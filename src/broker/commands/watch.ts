/** Enforces resource limits of plugins' commands by polling, as for workers. */

import { messageOf } from "../../core/errors.js";
import { yieldToEventLoop } from "../../core/event-loop.js";
import { processTrees } from "../../core/process-tree.js";
import type { BrokerLimits } from "../limits.js";
import { isFiltered, shareOf, usageOf } from "../usage.js";

/** A running command, which leads a process group. */
export interface RunningCommand {
  readonly pid: number;
  /** Whether it is confined. If so, its launcher and relay do not count. */
  readonly confined: boolean;
  /** Commands of one owner share the limits. */
  readonly owner: object;
  /** Ends the command, once; `what` says which limit was exceeded. */
  end(what: string): void;
}

type Limits = Pick<BrokerLimits, "maxMemory" | "maxThreads" | "memoryInterval">;

/** The usage of a command. */
interface CommandUsage {
  command: RunningCommand;
  tree: number[];
  /** In bytes; shared memory counts for each process. */
  memory: number;
  threads: number;
}

/** Ends commands when those of one owner together exceed the limits of a worker, the largest first. */
export class CommandWatch {
  readonly #running = new Set<RunningCommand>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly limits: Limits) {}

  /** Watches a command. Returns the function that stops watching it. */
  watch(command: RunningCommand): () => void {
    this.#running.add(command);
    this.#timer ??= this.#schedule();
    return () => {
      this.#running.delete(command);
    };
  }

  /** Schedules a check. Most commands end before it; it takes some hundredths of a millisecond per process. */
  #schedule(): ReturnType<typeof setTimeout> {
    return setTimeout(async () => {
      try {
        await this.#checkAll();
      } catch (error) {
        console.warn(`reef: cannot measure what commands use: ${messageOf(error)}`);
      } finally {
        this.#timer = this.#running.size > 0 ? this.#schedule() : null;
      }
    }, this.limits.memoryInterval);
  }

  async #checkAll(): Promise<void> {
    const commands = [...this.#running];
    const trees = await processTrees(commands.map(({ pid }) => pid));
    const usages = commands.map((command, index): CommandUsage => {
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
    for (const ones of Map.groupBy(usages, ({ command }) => command.owner).values())
      await this.#checkOwner(ones);
  }

  async #checkOwner(ones: readonly CommandUsage[]): Promise<void> {
    const { maxMemory, maxThreads } = this.limits;
    this.#enforce(ones, ({ threads }) => threads, maxThreads, "had too many threads");
    // Fast, and almost always within the limit.
    if (sum(ones.map(({ memory }) => memory)) <= maxMemory) return;
    const shares = new Map<CommandUsage, number>();
    for (const one of ones) shares.set(one, await shareOfAll(one.tree));
    this.#enforce(ones, (one) => shares.get(one) ?? 0, maxMemory, "used too much memory");
  }

  #enforce(
    ones: readonly CommandUsage[],
    of: (one: CommandUsage) => number,
    most: number,
    what: string,
  ): void {
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
