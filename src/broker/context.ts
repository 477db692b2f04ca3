/** The context of a call: its caller, permissions and deadline. */
import type { CallOptions } from "./client.js";
import { BrokerError } from "./errors.js";
import type { Party } from "./permissions/check.js";
import { intersect, type Permissions } from "./permissions/set.js";

/** On whose behalf a call is made, and its remaining time. */
export interface CallContext {
  /** The caller's identifier, for display. */
  readonly caller: string;
  /** All parties in the chain so far. */
  readonly parties: readonly Party[];
  /** The permissions that all of them have together. */
  readonly permissions: Permissions;
  /** The methods that wait for this call, outermost first. */
  readonly chain: readonly string[];
  readonly depth: number;
  /** The caller's own deadline, in `performance.now()` time. */
  readonly deadline: number;
}

/** The input of a call, or the positional arguments that form it. */
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

/** An accepted call, with the functions that settle it. */
export interface AcceptedCall {
  readonly context: CallContext;
  readonly input: unknown;
  /** Whether the input has been validated; if not, the worker validates it. */
  readonly isChecked: boolean;
  /** When it arrived, in `performance.now()` time. */
  readonly started: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The error of a call of `method` whose `deadline` has passed. */
export function timeoutError(method: string, { started }: AcceptedCall, deadline: number): BrokerError {
  const ms = Math.round(deadline - started);
  return new BrokerError("timeout", `${method} timed out after ${ms} ms`, { method });
}

/** The context of a trusted caller without a deadline. */
export function trustedContext(caller: string): CallContext {
  return { caller, parties: [], permissions: "all", chain: [], depth: 0, deadline: Number.POSITIVE_INFINITY };
}

/** The context of calls that a method makes while it runs. */
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
