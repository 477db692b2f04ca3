/** Accepts calls: finds the method, checks permissions, deadline and input, and starts the run. */
import type { AcceptedCall, CallContext, Dispatch, Payload } from "../context.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import { describeDenial, explain } from "../permissions/check.js";
import { permissionKey } from "../permissions/set.js";
import type { WorkerPool } from "../pool/pool.js";
import type { Worker } from "../pool/worker.js";
import type { Providers, RemoteMethod } from "../providers.js";
import { isLarge } from "../schema/cost.js";
import { inputError } from "../schema.js";
import type { WorkerSessions } from "../session/workers.js";
import type { Session } from "../session.js";
import type { EventSink } from "../sinks.js";
import { type LocalHost, LocalRun, type ReadyLocalMethod } from "./local.js";
import { inputFromArguments } from "./positional.js";
import { type RemoteHost, RemoteRun } from "./remote.js";
import type { TimerWheel } from "./timer-wheel.js";

/** Errors caused by the caller rather than the service; not reported. */
const UNREPORTED = new Set(["invalid_input", "not_found", "cancelled"]);

/** @internal Accepts calls and runs them in this process or in a worker. */
export class CallDispatcher implements LocalHost, RemoteHost {
  constructor(
    private readonly limits: BrokerLimits,
    private readonly providers: Providers,
    private readonly events: EventSink,
    private readonly sessions: WorkerSessions,
    readonly wheel: TimerWheel,
    readonly pool: WorkerPool,
  ) {}

  /** Makes a call in a context. Rejects with a `BrokerError`. */
  readonly dispatch: Dispatch = (context, pluginId, service, method, payload, options) =>
    new Promise((resolve, reject) => {
      const started = performance.now();
      if (context.permissions !== "all") this.#permit(context, `${pluginId}/${service}/${method}`);
      const found = this.providers.find(pluginId, service, method);
      if (!found) {
        throw new BrokerError("not_found", this.providers.explainMissing(pluginId, service, method));
      }
      const delay = this.#delay(options.timeout, context, started, found.key);
      if (context.depth > 0) this.#refuseCycle(context, found.key);
      const { signal } = options;
      if (signal?.aborted) throw new BrokerError("cancelled", `the call of ${found.key} was cancelled`);
      const { input, isChecked } = takeInput(found, payload, started);
      const call: AcceptedCall = { context, input, isChecked, started, signal, resolve, reject };
      if ("handler" in found) this.#runHere(found, call, delay);
      else this.#runInWorker(found, call, delay);
    });

  #runHere(method: ReadyLocalMethod, call: AcceptedCall, delay: number): void {
    const run = new LocalRun(this, method, call);
    this.wheel.add(run, delay, call.started);
    run.run();
  }

  #runInWorker(method: RemoteMethod, call: AcceptedCall, delay: number): void {
    const permissions = method.effectiveFor(call.context.permissions);
    const run = new RemoteRun(this, method, call);
    this.wheel.add(run, delay, call.started);
    run.slot = this.pool.submit(method.serviceKey, permissions, permissionKey(permissions), run);
  }

  #permit(context: CallContext, resource: string): void {
    const denial = explain(context.parties, "service:call", resource);
    if (!denial) return;
    const error = new BrokerError("permission_denied", describeDenial(denial), { denial });
    this.failed(resource, context.caller, error);
    throw error;
  }

  /** The time that a call has, in milliseconds. */
  #delay(timeout: number | undefined, context: CallContext, now: number, key: string): number {
    const { defaultTimeout, maxTimeout } = this.limits;
    if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0 && timeout <= maxTimeout)) {
      throw new BrokerError("invalid_input", `timeout must be more than 0 and at most ${maxTimeout} ms`);
    }
    const left = context.deadline - now;
    if (left <= 0) throw new BrokerError("timeout", `the deadline passed before ${key} was called`);
    return Math.min(timeout ?? defaultTimeout, left);
  }

  #refuseCycle(context: CallContext, key: string): void {
    if (context.chain.includes(key)) {
      throw new BrokerError("call_cycle", `${key} is already waiting for this call`, {
        chain: [...context.chain, key],
      });
    }
    if (context.depth >= this.limits.maxDepth) {
      throw new BrokerError("call_cycle", `calls go more than ${this.limits.maxDepth} methods deep`, {
        chain: [...context.chain, key],
      });
    }
  }

  /** The session of a running worker. */
  sessionOf(worker: Worker): Session | undefined {
    return this.sessions.of(worker);
  }

  /** Reports a failed call as an event. */
  failed(method: string, caller: string, error: BrokerError): void {
    if (UNREPORTED.has(error.code)) return;
    const { code, message } = error;
    const time = new Date().toISOString();
    this.events.emit({ type: "broker.call_failed", method, caller, code, message, time });
  }
}

/**
 * Determines and validates the input. Validation that may take long is left to the worker, within the call's
 * deadline.
 */
function takeInput(
  method: RemoteMethod | ReadyLocalMethod,
  payload: Payload,
  started: number,
): { input: unknown; isChecked: boolean } {
  const schema = method.input;
  const input = "args" in payload ? inputFromArguments(schema.schema, payload.args) : payload.input;
  if (schema.schema === true) return { input, isChecked: true };
  const isOurs = "handler" in method || (schema.isCheap && !isLarge(input));
  if (!isOurs) return { input, isChecked: false };
  const failedCheck = inputError(schema, method.key, input);
  if (!failedCheck) return { input, isChecked: true };
  method.metrics.record(performance.now() - started, "invalid_input");
  throw failedCheck;
}
