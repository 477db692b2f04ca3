import type { CallOptions } from "./client.js";
import { BrokerError } from "./errors.js";
import type { Party } from "./permissions/check.js";
import { intersect, type Permissions } from "./permissions/set.js";

/** On whose behalf a call is made, and what it has left. */
export interface CallContext {
  /** Who calls, for display. */
  readonly caller: string;
  /** Everybody in the chain so far. */
  readonly parties: readonly Party[];
  /** What all of them may do together. */
  readonly permissions: Permissions;
  /** Methods that wait for this call, the first caller first. */
  readonly chain: readonly string[];
  readonly depth: number;
  /** When the caller's own time is over, as `performance.now()` has it. */
  readonly deadline: number;
}

/** The input of a call, or the positional arguments that make it up. */
export type Payload = { input?: unknown } | { args: readonly unknown[] };

/** Makes a call in a context. Rejects with a `BrokerError`. */
export type Dispatch = (
  context: CallContext,
  pluginId: string,
  service: string,
  method: string,
  payload: Payload,
  options: CallOptions,
) => Promise<unknown>;

/** A call whose method was found and whose input fits, and whoever waits for it. */
export interface AcceptedCall {
  readonly context: CallContext;
  readonly input: unknown;
  /** Whether the input is known to fit; if not, the worker has to check it. */
  readonly isChecked: boolean;
  /** When it came in, as `performance.now()` has it. */
  readonly started: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What whoever waits for a call of `method` is told when its deadline has passed. */
export function outOfTime(method: string, { started }: AcceptedCall, deadline: number): BrokerError {
  const ms = Math.round(deadline - started);
  return new BrokerError("timeout", `${method} timed out after ${ms} ms`, { method });
}

/** A caller that is trusted with everything and has all the time that a call may take. */
export function trustedContext(caller: string): CallContext {
  return { caller, parties: [], permissions: "all", chain: [], depth: 0, deadline: Number.POSITIVE_INFINITY };
}

/** The context for what a method calls while it answers. */
export function nestedContext(
  outer: CallContext,
  callee: Party,
  method: string,
  deadline: number,
): CallContext {
  return {
    caller: callee.id,
    parties: [...outer.parties, callee],
    permissions: intersect(outer.permissions, callee.permissions),
    chain: [...outer.chain, method],
    depth: outer.depth + 1,
    deadline,
  };
}
