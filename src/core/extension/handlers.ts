/** Runs services' event handlers so that handlers that fail or hang do not stop the agent. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type Clock, systemClock } from "./clock.js";
import { DECISIONS, type Decision, MIN_WAIT_MS, NOTIFICATIONS, TimeBudget } from "./event-limits.js";
import type { Installation } from "./installation.js";
import { underLimits } from "./limits.js";
import { contextFor, eventFor, type Owner, signalOf } from "./owner.js";
import { TIMED_OUT, waitAtMost } from "./timeouts.js";
import { Wait } from "./wait.js";

/** How long a handler may delay the same service's handlers of later events, in milliseconds. */
const QUEUE_LIMIT_MS = 2500;

type Handler = (event: unknown, ctx: unknown) => unknown;
type On = (event: string, handler: Handler) => void;
type Run = () => Promise<unknown>;

/** Time shared by all handlers of a notification, and of an event whose results the agent uses; in milliseconds. */
const notificationBudget = new TimeBudget(700);
const answerBudget = new TimeBudget(2500);

/** Subscribes one service's handlers. */
export class HandlerGuard {
  /** Work that the agent no longer waits for; the service's later handlers run after it. */
  #tail: Promise<unknown> = Promise.resolve();
  #idle = true;
  /**
   * Set after a handler timed out until one finishes in time, so that an unreachable server costs its budget
   * only once.
   */
  #slow = false;
  /** The number of timed-out handlers, other than those of decisions, that are still running. */
  #hanging = 0;
  readonly #owner: Owner;

  constructor(
    private readonly pi: ExtensionAPI,
    private readonly service: string,
    private readonly installation: Installation,
    private readonly clock: Clock = systemClock,
  ) {
    this.#owner = installation.ownerOf(service);
  }

  on(event: string, handler: Handler): void {
    if (typeof handler !== "function")
      throw new TypeError(`the handler of pi.on("${event}") must be a function`);
    const subscribe = this.pi.on.bind(this.pi) as unknown as On;
    if (NOTIFICATIONS.has(event)) subscribe(event, (data, ctx) => this.#notify(event, handler, data, ctx));
    else subscribe(event, (data, ctx) => this.#answer(event, handler, data, ctx));
  }

  async #call(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<unknown> {
    try {
      return await underLimits({ timeoutMs: this.installation.handlerCallMs }, () =>
        this.#owner.run(() => handler(eventFor(this.#owner, data), contextFor(this.#owner, ctx))),
      );
    } catch (error) {
      this.installation.report(`${this.service}, on ${event}`, error);
      return undefined;
    }
  }

  /**
   * Runs a service's notification handlers one after the other, so that an end is never reported before its
   * start.
   */
  async #notify(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<void> {
    const before = this.#tail;
    const idle = this.#idle;
    this.#idle = false;
    // The first handler starts synchronously, so that its synchronous effects are done when the agent
    // continues.
    const run = idle
      ? this.#call(event, handler, data, ctx)
      : waitAtMost(before, QUEUE_LIMIT_MS, { keepsAlive: false }).then(() =>
          this.#call(event, handler, data, ctx),
        );
    const tail = run.then(() => {
      if (this.#tail === tail) this.#idle = true;
    });
    this.#tail = tail;
    const key = eventKey(ctx);
    const left = this.#slow && event !== "session_shutdown" ? 0 : notificationBudget.left(key);
    const since = this.clock.now();
    this.#slow = (await waitAtMost(tail, left)) === TIMED_OUT;
    notificationBudget.spend(key, this.clock.now() - since);
    // A slow handler most likely waits for the control plane; the next successful call resets this.
    if (this.#slow && left > 0) this.installation.unreachable = true;
  }

  #answer(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<unknown> {
    const decision = DECISIONS.get(event);
    const run = () => this.#call(event, handler, data, ctx);
    return decision
      ? this.#decide(
          event,
          decision,
          run,
          [data, ctx].flatMap((source) => signalOf(source) ?? []),
        )
      : this.#query(event, run, eventKey(ctx));
  }

  async #decide(event: string, decision: Decision, run: Run, signals: AbortSignal[]): Promise<unknown> {
    const isAborted = () => signals.some(({ aborted }) => aborted);
    // The handler may have aborted the agent synchronously.
    const answer = run();
    const result = await this.#wait(isAborted() ? MIN_WAIT_MS : decision.limit).until(answer, signals);
    if (result !== TIMED_OUT) return result;
    if (isAborted()) return decision.undecided?.("aborted");
    this.#reportLate(event);
    return decision.undecided?.(`${this.service} timed out`);
  }

  async #query(event: string, run: Run, key: object): Promise<unknown> {
    const answer = run();
    const wait = this.#wait(this.#hanging > 0 ? MIN_WAIT_MS : Math.max(answerBudget.left(key), MIN_WAIT_MS));
    const result = await wait.until(answer, []);
    answerBudget.spend(key, wait.used);
    if (result !== TIMED_OUT) return result;
    this.#hanging++;
    void answer.then(() => this.#hanging--);
    this.#reportLate(event);
    return undefined;
  }

  #wait(ms: number): Wait {
    return new Wait(ms, this.#owner.dialogs, this.clock);
  }

  #reportLate(event: string): void {
    this.installation.say(`${this.service}, on ${event}: timed out`);
  }
}

/** An object that identifies an event while it is handled: its context. */
function eventKey(ctx: unknown): object {
  return typeof ctx === "object" && ctx !== null ? ctx : {};
}
