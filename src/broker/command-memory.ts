/** How much memory the commands that plugins run may hold. It is looked at now and then, as that of workers is. */
import { breathe } from "../core/breathe.js";
import { messageOf } from "../core/errors.js";
import { processTrees } from "../core/process-tree.js";
import type { BrokerLimits } from "./limits.js";
import { memoryOf, shareOf } from "./memory.js";

/** A command that runs, and leads a process group. */
export interface RunningCommand {
  readonly pid: number;
  /** Commands of one owner may hold so much together. */
  readonly owner: object;
  /** Called once, when it is the one that has to go. */
  end(): void;
}

/** Ends commands that hold more than one worker may, together with the others of their owner: the largest first. */
export class CommandMemory {
  readonly #running = new Set<RunningCommand>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly limits: Pick<BrokerLimits, "maxMemory" | "memoryInterval">) {}

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
        console.warn(`reef: the memory of commands cannot be looked at: ${messageOf(error)}`);
      } finally {
        this.#timer = this.#running.size > 0 ? this.#later() : null;
      }
    }, this.limits.memoryInterval);
  }

  async #look(): Promise<void> {
    const commands = [...this.#running];
    const trees = await processTrees(commands.map(({ pid }) => pid));
    const byOwner = Map.groupBy(
      commands.map((command, index) => ({ command, tree: trees[index] ?? [] })),
      ({ command }) => command.owner,
    );
    for (const ones of byOwner.values()) await this.#check(ones);
  }

  async #check(ones: readonly { command: RunningCommand; tree: number[] }[]): Promise<void> {
    const { maxMemory } = this.limits;
    // With what they share counted for each, which is quickly told, and almost always the end of it.
    if (sum(ones.flatMap(({ tree }) => tree.map((pid) => memoryOf(pid) ?? 0))) <= maxMemory) return;
    const shares: { command: RunningCommand; share: number }[] = [];
    for (const { command, tree } of ones) shares.push({ command, share: await shareOfAll(tree) });
    shares.sort((one, other) => other.share - one.share);
    let held = sum(shares.map(({ share }) => share));
    for (const { command, share } of shares) {
      if (held <= maxMemory) return;
      held -= share;
      if (this.#running.delete(command)) command.end();
    }
  }
}

async function shareOfAll(pids: readonly number[]): Promise<number> {
  let share = 0;
  for (const pid of pids) {
    share += shareOf(pid) ?? memoryOf(pid) ?? 0;
    await breathe();
  }
  return share;
}

const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);
