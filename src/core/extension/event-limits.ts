/** How long the agent waits for the handlers of an event, by what it does with their answers. */

/** Events that only tell; the agent uses no answer, so it need not wait for one. */
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

/** An event about what is to happen. The agent's abort ends the wait. */
export interface Decision {
  /** How long each handler may take, in milliseconds: none takes the time of another that decides, too. */
  limit: number;
  /** The answer of a handler that gave none in time; nothing where it is absent. */
  undecided?: (reason: string) => unknown;
}

const DEFAULT_DECISION = { limit: 10_000 };
/** What these answer with may be a summary that a model is to write. */
const SUMMARY_DECISION = { limit: 60_000 };

export const DECISIONS: ReadonlyMap<string, Decision> = new Map<string, Decision>([
  ["input", DEFAULT_DECISION],
  ["tool_call", { ...DEFAULT_DECISION, undecided: (reason) => ({ block: true, reason }) }],
  ["user_bash", DEFAULT_DECISION],
  ["session_before_switch", DEFAULT_DECISION],
  ["session_before_fork", DEFAULT_DECISION],
  ["session_before_compact", SUMMARY_DECISION],
  ["session_before_tree", SUMMARY_DECISION],
]);

/** How long a handler may take when there is nothing left of what it shares, or nobody is interested any more. */
export const MIN_WAIT_MS = 250;

/** Time that all handlers of one event share, by the context that is made for each event. */
export class TimeBudget {
  readonly #left = new WeakMap<object, number>();

  /** @param ms How much there is, in milliseconds. */
  constructor(private readonly ms: number) {}

  left(event: object): number {
    return this.#left.get(event) ?? this.ms;
  }

  spend(event: object, ms: number): void {
    this.#left.set(event, Math.max(0, this.left(event) - ms));
  }
}
