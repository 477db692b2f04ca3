/** Event handlers of services: they may fail, hang and wait for a dead control plane; the agent goes on. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { LATE, within } from "./alive.js";
import { type Clock, systemClock } from "./clock.js";
import type { Installation } from "./installation.js";
import { underLimits } from "./limits.js";
import { contextFor, eventFor, type Owner, signalOf } from "./owner.js";
import { DECISIONS, type Decision, HURRIED_MS, NOTIFICATIONS, SharedTime } from "./terms.js";
import { Wait } from "./wait.js";

/** How long a handler may hold up the same service's handlers of later events, in milliseconds. */
const ROW_LIMIT_MS = 2500;

type Handler = (event: unknown, ctx: unknown) => unknown;
type On = (event: string, handler: Handler) => void;
type Run = () => Promise<unknown>;

/** How long all handlers may take of an event that only tells, and of one whose answers the agent uses. */
const told = new SharedTime(700);
const asked = new SharedTime(2500);

/** Subscribes on behalf of one service. */
export class HandlerGuard {
  /** Work that the agent no longer waits for; later handlers of the service come after it. */
  #tail: Promise<unknown> = Promise.resolve();
  #idle = true;
  /** Set after a handler was too slow, until one is in time again: a dead server costs its budget once. */
  #slow = false;
  /** How many handlers the agent went on without have not come to an end, other than those that decide. */
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
    if (NOTIFICATIONS.has(event)) subscribe(event, (data, ctx) => this.#notified(event, handler, data, ctx));
    else subscribe(event, (data, ctx) => this.#answered(event, handler, data, ctx));
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

  /** One after the other for each service, so that an end is never told before its start. */
  async #notified(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<void> {
    const before = this.#tail;
    const idle = this.#idle;
    this.#idle = false;
    // The first of a row starts at once: what it does synchronously is done when the agent goes on.
    const run = idle
      ? this.#call(event, handler, data, ctx)
      : within(before, ROW_LIMIT_MS, false).then(() => this.#call(event, handler, data, ctx));
    const tail = run.then(() => {
      if (this.#tail === tail) this.#idle = true;
    });
    this.#tail = tail;
    const key = keyOf(ctx);
    const left = this.#slow && event !== "session_shutdown" ? 0 : told.left(key);
    const since = this.clock.now();
    this.#slow = (await within(tail, left)) === LATE;
    told.spend(key, this.clock.now() - since);
    // What takes so long is most likely the control plane; the next answer says otherwise.
    if (this.#slow && left > 0) this.installation.away = true;
  }

  #answered(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<unknown> {
    const decision = DECISIONS.get(event);
    const run = () => this.#call(event, handler, data, ctx);
    return decision
      ? this.#decided(
          event,
          decision,
          run,
          [data, ctx].flatMap((source) => signalOf(source) ?? []),
        )
      : this.#asked(event, run, keyOf(ctx));
  }

  async #decided(event: string, decision: Decision, run: Run, signals: AbortSignal[]): Promise<unknown> {
    const isAborted = () => signals.some(({ aborted }) => aborted);
    // The handler may have aborted the agent by now.
    const answer = run();
    const result = await this.#wait(isAborted() ? HURRIED_MS : decision.limit).until(answer, signals);
    if (result !== LATE) return result;
    if (isAborted()) return decision.undecided?.("aborted");
    this.#sayLate(event);
    return decision.undecided?.(`${this.service} timed out`);
  }

  async #asked(event: string, run: Run, key: object): Promise<unknown> {
    const answer = run();
    const wait = this.#wait(this.#hanging > 0 ? HURRIED_MS : Math.max(asked.left(key), HURRIED_MS));
    const result = await wait.until(answer, []);
    asked.spend(key, wait.used);
    if (result !== LATE) return result;
    this.#hanging++;
    void answer.then(() => this.#hanging--);
    this.#sayLate(event);
    return undefined;
  }

  #wait(ms: number): Wait {
    return new Wait(ms, this.#owner.dialogs, this.clock);
  }

  #sayLate(event: string): void {
    this.installation.say(`${this.service}, on ${event}: timed out`);
  }
}

/** What stands for an event as long as it lasts. */
function keyOf(ctx: unknown): object {
  return typeof ctx === "object" && ctx !== null ? ctx : {};
}
