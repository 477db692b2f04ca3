/** Calls of methods in workers. */
import {
  type AcceptedCall,
  type CallContext,
  type Dispatch,
  nestedContext,
  timeoutError,
} from "../context.js";
import { BrokerError } from "../errors.js";
import { explainSystemError } from "../permissions/os-denial.js";
import type { WorkerPool } from "../pool/pool.js";
import type { Job, Slot } from "../pool/slot.js";
import type { Worker } from "../pool/worker.js";
import type { WireError } from "../protocol.js";
import type { RemoteMethod } from "../providers.js";
import { isLarge } from "../schema/cost.js";
import { outputError } from "../schema.js";
import type { Session } from "../session.js";
import { Deadline, type TimerWheel } from "./timer-wheel.js";

/** @internal What a running call to a plugin needs from the broker. */
export interface RemoteHost {
  readonly wheel: TimerWheel;
  readonly pool: WorkerPool;
  readonly dispatch: Dispatch;
  sessionOf(worker: Worker): Session | undefined;
  failed(method: string, caller: string, error: BrokerError): void;
}

/** @internal One call of a method in a worker. */
export class RemoteRun extends Deadline implements Job {
  slot: Slot | null = null;
  #worker: Worker | null = null;
  #id = 0;
  #settled = false;
  #nested: CallContext | null = null;
  #withdraw: (() => void) | null = null;

  constructor(
    private readonly host: RemoteHost,
    private readonly target: RemoteMethod,
    private readonly accepted: AcceptedCall,
  ) {
    super();
    const { signal } = accepted;
    if (signal) {
      this.#withdraw = () =>
        this.#giveUp(
          new BrokerError("cancelled", `the call of ${target.key} was cancelled`),
          this.remaining(),
        );
      signal.addEventListener("abort", this.#withdraw, { once: true });
    }
  }

  get method(): string {
    return this.target.method.name;
  }

  get input(): unknown {
    return this.accepted.input;
  }

  get needsCheck(): boolean {
    return !this.accepted.isChecked;
  }

  get caller(): string {
    return this.accepted.context.caller;
  }

  /** The context of calls that the method itself makes. */
  get nested(): CallContext {
    const { plugin, key } = this.target;
    this.#nested ??= nestedContext(this.accepted.context, plugin, key, this.expiresAt);
    return this.#nested;
  }

  remaining(): number {
    return Math.max(0, Math.round(this.expiresAt - performance.now()));
  }

  placed(worker: Worker, id: number): void {
    this.#worker = worker;
    this.#id = id;
    this.host.sessionOf(worker)?.runs.set(id, this);
  }

  resolve(value: unknown): void {
    if (this.#settled) return;
    const { method, key, metrics } = this.target;
    const { output } = method;
    // Otherwise the worker has validated it.
    const isOurs = output.schema !== true && output.isCheap && !isLarge(value);
    const failedCheck = isOurs ? outputError(output, key, value) : null;
    if (failedCheck) {
      this.reject(failedCheck);
      return;
    }
    this.#settle();
    metrics.record(performance.now() - this.accepted.started);
    this.accepted.resolve(value);
  }

  reject(error: BrokerError | WireError): void {
    if (this.#settled) return;
    this.#settle();
    const failure = error instanceof BrokerError ? error : this.#methodError(error);
    this.target.metrics.record(performance.now() - this.accepted.started, failure.code);
    this.host.failed(this.target.key, this.caller, failure);
    this.accepted.reject(failure);
  }

  #methodError(error: WireError): BrokerError {
    const { key, plugin } = this.target;
    if (error.failedCheck) return new BrokerError(error.failedCheck, error.message, error.details);
    if (error.code === "invalid_output")
      return new BrokerError("invalid_output", error.message, { method: key });
    const denial = explainSystemError(error, this.accepted.context.parties, plugin);
    if (denial) return denial;
    const details = { ...(error.details ?? {}), method: key, thrown: error.name };
    // As with refused file access: an error that a plugin does not catch is passed to its caller.
    if (error.code === "permission_denied") return new BrokerError(error.code, error.message, details);
    return new BrokerError("method_failed", `${key} failed: ${error.message}`, details);
  }

  reroute(): void {
    if (this.#settled) return;
    this.#settle();
    const { context, input, signal, resolve, reject } = this.accepted;
    const { plugin, service, method } = this.target;
    const timeout = Math.max(1, this.expiresAt - performance.now());
    this.host
      .dispatch(context, plugin.id, service.name, method.name, { input }, { signal, timeout })
      .then(resolve, reject);
  }

  expire(): void {
    this.#giveUp(timeoutError(this.target.key, this.accepted, this.expiresAt));
  }

  /** `left` is how long, in milliseconds, the worker may keep working on it before it is considered hung. */
  #giveUp(error: BrokerError, left = 0): void {
    if (this.#settled) return;
    const { slot } = this;
    const worker = this.#worker;
    if (worker) {
      this.host.sessionOf(worker)?.withdrawNested(this.#id);
      worker.abandon(this.#id, left);
    }
    this.reject(error);
    if (!slot) return;
    if (worker) this.host.pool.released(slot);
    else this.host.pool.withdraw(slot, this);
  }

  #settle(): void {
    this.#settled = true;
    this.host.wheel.remove(this);
    if (this.#withdraw) this.accepted.signal?.removeEventListener("abort", this.#withdraw);
    if (this.#worker) this.host.sessionOf(this.#worker)?.runs.delete(this.#id);
  }
}
