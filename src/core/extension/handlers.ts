/** Event handlers of services: they may fail, hang and wait for a dead control plane; the agent goes on. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { keepAlive, LATE, within } from "./alive.js";
import type { Installation } from "./installation.js";
import { underLimits } from "./limits.js";
import { contextFor, type Owner } from "./owner.js";

/** How long all handlers of one event together may hold up the agent, in milliseconds. */
const EVENT_BUDGET_MS = 700;

/** How long a handler may take whose answer the agent uses and that asks nobody, in milliseconds. */
const ANSWER_LIMIT_MS = 2500;

/** The same for a service whose last answer did not come in time. */
const HURRIED_ANSWER_LIMIT_MS = 250;

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

/** Events whose handlers may ask the person at the terminal, who takes the time it takes. */
const INTERACTIVE = new Set([
  "input",
  "tool_call",
  "user_bash",
  "session_before_switch",
  "session_before_fork",
  "session_before_compact",
  "session_before_tree",
]);

type Handler = (event: unknown, ctx: unknown) => unknown;
type On = (event: string, handler: Handler) => void;

/** When the wait for an event's handlers ends; shared by the handlers of all services. */
const deadlines = new WeakMap<object, number>();

/** Subscribes on behalf of one service. */
export class HandlerGuard {
  /** Work that the agent no longer waits for; later handlers of the service come after it. */
  #tail: Promise<unknown> = Promise.resolve();
  #idle = true;
  /** Set after a handler was too slow, until one is in time again: a dead server costs its budget once. */
  #slow = false;
  #hurried = false;
  readonly #owner: Owner;

  constructor(
    private readonly pi: ExtensionAPI,
    private readonly service: string,
    private readonly installation: Installation,
  ) {
    this.#owner = installation.ownerOf(service);
  }

  on(event: string, handler: Handler): void {
    if (typeof handler !== "function") throw new TypeError(`pi.on("${event}") takes a function`);
    const subscribe = this.pi.on.bind(this.pi) as unknown as On;
    if (NOTIFICATIONS.has(event)) subscribe(event, (data, ctx) => this.#notified(event, handler, data, ctx));
    else subscribe(event, (data, ctx) => this.#answered(event, handler, data, ctx));
  }

  async #call(event: string, handler: Handler, data: unknown, ctx: unknown): Promise<unknown> {
    try {
      return await underLimits({ timeoutMs: this.installation.handlerCallMs }, () =>
        this.#owner.run(() => handler(data, contextFor(this.#owner, ctx))),
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
    const answer = this.#call(event, handler, data, ctx);
    if (INTERACTIVE.has(event)) return keepAlive(answer);
    const result = await within(answer, this.#hurried ? HURRIED_ANSWER_LIMIT_MS : ANSWER_LIMIT_MS);
    this.#hurried = result === LATE;
    if (result !== LATE) return result;
    this.installation.say(`${this.service}, on ${event}: no answer in time`);
    return undefined;
  }
}

function timeLeft(data: unknown): number {
  if (typeof data !== "object" || data === null) return EVENT_BUDGET_MS;
  const now = performance.now();
  const deadline = deadlines.get(data) ?? now + EVENT_BUDGET_MS;
  deadlines.set(data, deadline);
  return Math.max(0, deadline - now);
}
