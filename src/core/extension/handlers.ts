/** Event handlers of services: they may fail, hang and wait for a dead control plane; the agent goes on. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { LATE, within } from "./alive.js";
import type { Installation } from "./installation.js";
import { underLimits } from "./limits.js";
import { contextFor, type Owner } from "./owner.js";
import { Wait } from "./wait.js";

/** How long all handlers of one event together may hold up the agent, in milliseconds. */
const EVENT_BUDGET_MS = 700;

/** How long all handlers of one event together may take whose answer the agent uses, in milliseconds. */
export interface AnswerLimits {
  /** For most events. */
  usual: number;
  /** Where something else is fitting. The agent's abort ends these. */
  long: Readonly<Record<string, number>>;
  /** Each handler's own, when the others took all the time there was, or an earlier one of its service still hangs. */
  hurried: number;
}

const ANSWER_LIMITS: AnswerLimits = {
  usual: 2500,
  long: {
    input: 10_000,
    tool_call: 10_000,
    user_bash: 10_000,
    session_before_switch: 10_000,
    session_before_fork: 10_000,
    // What these answer with may be a summary that a model is to write.
    session_before_compact: 60_000,
    session_before_tree: 60_000,
  },
  hurried: 250,
};

/** How long a handler may hold up the same service's handlers of later events, in milliseconds. */
const ROW_LIMIT_MS = 2500;

/** Events that only tell; the agent uses no answer, so it need not wait for one. */
const NOTIFICATIONS = new Set([
  "session_start",
  "session_shutdown",
  "session_compact",
  "session_tree",
  "agent_start",
  "agent_end",
  "turn_start",
  "turn_end",
  "message_start",
  "message_update",
  "tool_execution_start",
  "tool_execution_update",
  "tool_execution_end",
  "after_provider_response",
  "model_select",
  "thinking_level_select",
]);

type Handler = (event: unknown, ctx: unknown) => unknown;
type On = (event: string, handler: Handler) => void;

/** When the wait for an event's handlers ends; shared by the handlers of all services. */
const deadlines = new WeakMap<object, number>();

/** The same where the agent uses the answer: how long it still waits, by the context that is made for each event. */
const budgets = new WeakMap<object, number>();

/** Subscribes on behalf of one service. */
export class HandlerGuard {
  /** Work that the agent no longer waits for; later handlers of the service come after it. */
  #tail: Promise<unknown> = Promise.resolve();
  #idle = true;
  /** Set after a handler was too slow, until one is in time again: a dead server costs its budget once. */
  #slow = false;
  /** How many handlers the agent went on without have not come to an end; by event where that has a limit of its own. */
  readonly #hanging = new Map<string, number>();
  readonly #owner: Owner;

  constructor(
    private readonly pi: ExtensionAPI,
    private readonly service: string,
    private readonly installation: Installation,
    private readonly limits = ANSWER_LIMITS,
  ) {
    this.#owner = installation.ownerOf(service);
  }

  on(event: string, handler: Handler): void {
    if (typeof handler !== "function") throw new TypeError(`pi.on("${event}") takes a function`);
    const subscribe = this.pi.on.bind(this.pi) as unknown as On;
    if (NOTIFICATIONS.has(event)) subscribe(event, (data, ctx) => this.#notified(event, handler, data, ctx));
    else subscribe(event, (data, ctx) => this.#answered(event, handler, data, ctx));
  }

  async #call(event: string, handler: Handler, data: unknown, ctx: unknown, wait?: Wait): Promise<unknown> {
    try {
      return await underLimits({ timeoutMs: this.installation.handlerCallMs }, () =>
        this.#owner.run(() => handler(data, contextFor(this.#owner, ctx, wait?.dialog))),
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
    const left = this.#slow && event !== "session_shutdown" ? 0 : timeLeft(data);
    this.#slow = (await within(tail, left)) === LATE;
    // What takes so long is most likely the control plane; the next answer says otherwise.
    if (this.#slow && left > 0) this.installation.away = true;
  }

  async #answered(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<unknown> {
    const { usual, long, hurried } = this.limits;
    const signals = event in long ? signalsOf(data, ctx) : [];
    const key = typeof ctx === "object" && ctx !== null ? ctx : {};
    const left = budgets.get(key) ?? long[event] ?? usual;
    const isAborted = () => signals.some(({ aborted }) => aborted);
    const kind = event in long ? event : "usual";
    const count = (more: number) => {
      const hanging = (this.#hanging.get(kind) ?? 0) + more;
      this.#hanging.set(kind, hanging);
      return hanging;
    };
    const wait = new Wait(count(0) > 0 || isAborted() ? hurried : Math.max(left, hurried));
    const answer = this.#call(event, handler, data, ctx, wait);
    const result = await wait.until(answer, signals);
    budgets.set(key, left - wait.used);
    if (result !== LATE) return result;
    count(1);
    void answer.then(() => count(-1));
    if (!isAborted()) this.installation.say(`${this.service}, on ${event}: no answer in time`);
    // What was to be decided about is not to happen any more.
    return isAborted() && event === "tool_call" ? { block: true, reason: "aborted" } : undefined;
  }
}

/** Which signals end the agent's interest in an answer. */
function signalsOf(...sources: unknown[]): AbortSignal[] {
  return sources
    .map((source) => (source as { signal?: unknown } | null | undefined)?.signal)
    .filter((signal) => signal instanceof AbortSignal);
}

function timeLeft(data: unknown): number {
  if (typeof data !== "object" || data === null) return EVENT_BUDGET_MS;
  const now = performance.now();
  const deadline = deadlines.get(data) ?? now + EVENT_BUDGET_MS;
  deadlines.set(data, deadline);
  return Math.max(0, deadline - now);
}
