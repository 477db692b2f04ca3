/** Calls that take longer than their callers wait for: they go on, and say later what came of them. */
import { LATE, within } from "../core/extension/alive.js";

/**
 * After how long a call is answered without its result, in milliseconds. Most clients give up after a minute, and
 * notices of progress make few of them wait longer.
 */
const ANSWER_AFTER_MS = 45_000;

/** How many calls are kept that have ended. */
const KEPT = 50;

/** Stands for the result of a call that still runs: what to ask for it by. */
export class Unfinished {
  constructor(
    readonly id: string,
    /** What was called. */
    readonly name: string,
  ) {}
}

interface Kept<T> {
  name: string;
  running: Promise<T>;
  ended: boolean;
}

/** `T` is what calls resolve with; none of them rejects. */
export class LongCalls<T> {
  readonly #kept = new Map<string, Kept<T>>();

  constructor(private readonly answerAfterMs = ANSWER_AFTER_MS) {}

  /**
   * Resolves with what the call resolves with, or once it has taken too long.
   *
   * @param client Aborted when the caller has gone. Ends the call while its result is waited for here, not later.
   */
  async begin(
    name: string,
    start: (signal: AbortSignal) => Promise<T>,
    client?: AbortSignal,
  ): Promise<T | Unfinished> {
    const controller = new AbortController();
    const abort = () => controller.abort(client?.reason);
    if (client?.aborted) abort();
    client?.addEventListener("abort", abort);
    const running = start(controller.signal);
    const result = await within(running, this.answerAfterMs);
    client?.removeEventListener("abort", abort);
    return result === LATE ? this.#keep(name, running) : result;
  }

  /** The result of a call that was answered with an {@link Unfinished}; undefined when there is none by this id. */
  async wait(id: string): Promise<T | Unfinished | undefined> {
    const kept = this.#kept.get(id);
    if (!kept) return undefined;
    const result = await within(kept.running, this.answerAfterMs);
    return result === LATE ? new Unfinished(id, kept.name) : result;
  }

  #keep(name: string, running: Promise<T>): Unfinished {
    const id = Bun.randomUUIDv7();
    const kept = { name, running, ended: false };
    this.#kept.set(id, kept);
    void running.then(() => {
      kept.ended = true;
      this.#forget();
    });
    return new Unfinished(id, name);
  }

  /** Lets go of the oldest that have ended, when there are too many of them. */
  #forget(): void {
    const ended = [...this.#kept].filter(([, kept]) => kept.ended);
    for (const [id] of ended.slice(0, -KEPT)) this.#kept.delete(id);
  }
}
