/** How long the agent waits for handlers, by what it does with their results. */

/** Events whose handlers' results the agent ignores, so that it need not wait. */
export const NOTIFICATIONS: ReadonlySet<string> = new Set([
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

/** An event whose handlers can influence what happens next. An abort of the agent ends the wait. */
export interface Decision {
  /** The time limit of each handler, in milliseconds. Not shared, unlike that of other events. */
  limit: number;
  /** The result for a handler that timed out or was aborted; undefined when absent. */
  undecided?: (reason: string) => unknown;
}

const DEFAULT_DECISION = { limit: 10_000 };
/** These handlers may have a model write a summary. */
const SUMMARY_DECISION = { limit: 60_000 };

/** Events whose handlers can influence what happens next. */
export const DECISIONS: ReadonlyMap<string, Decision> = new Map<string, Decision>([
  ["input", DEFAULT_DECISION],
  ["tool_call", { ...DEFAULT_DECISION, undecided: (reason) => ({ block: true, reason }) }],
  ["user_bash", DEFAULT_DECISION],
  ["session_before_switch", DEFAULT_DECISION],
  ["session_before_fork", DEFAULT_DECISION],
  ["session_before_compact", SUMMARY_DECISION],
  ["session_before_tree", SUMMARY_DECISION],
]);

/** The minimum wait, when a shared budget is used up or the agent has been aborted; in milliseconds. */
export const MIN_WAIT_MS = 250;

/** A time budget that all handlers of one event share, keyed by the event's context. */
export class TimeBudget {
  readonly #left = new WeakMap<object, number>();

  /** @param ms The budget per event, in milliseconds. */
  constructor(private readonly ms: number) {}

  left(event: object): number {
    return this.#left.get(event) ?? this.ms;
  }

  spend(event: object, ms: number): void {
    this.#left.set(event, Math.max(0, this.left(event) - ms));
  }
}
