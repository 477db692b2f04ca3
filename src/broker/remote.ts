import { type CallContext, nestedContext } from "./context.js";
import { BrokerError } from "./errors.js";
import type { MethodManifest, PluginManifest } from "./manifest.js";
import type { MethodMetrics } from "./metrics.js";
import { explainSystemError } from "./os-denial.js";
import type { WorkerPool } from "./pool/pool.js";
import type { Job, Slot } from "./pool/slot.js";
import type { Worker } from "./pool/worker.js";
import type { WireError } from "./protocol.js";
import { misfitOf } from "./schema.js";
import type { Session } from "./session.js";
import { Deadline, type DeadlineWheel } from "./wheel.js";

/** @internal What a call to a plugin is about. */
export interface RemoteTarget {
  key: string;
  plugin: PluginManifest;
  method: MethodManifest;
  metrics: MethodMetrics;
}

/** @internal What a running call to a plugin needs from the broker. */
export interface RemoteHost {
  readonly wheel: DeadlineWheel;
  readonly pool: WorkerPool;
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
    private readonly target: RemoteTarget,
    readonly context: CallContext,
    readonly input: unknown,
    private readonly signal: AbortSignal | undefined,
    private readonly started: number,
    private readonly onValue: (value: unknown) => void,
    private readonly onError: (error: BrokerError) => void,
    private readonly onReplaced: () => void,
  ) {
    super();
    if (signal) {
      this.#withdraw = () =>
        this.#giveUp(new BrokerError("cancelled", `the call of ${target.key} was withdrawn`));
      signal.addEventListener("abort", this.#withdraw, { once: true });
    }
  }

  get method(): string {
    return this.target.method.name;
  }

  get caller(): string {
    return this.context.caller;
  }

  /** The context of what the method calls while it answers. */
  get nested(): CallContext {
    const { plugin, key } = this.target;
    this.#nested ??= nestedContext(this.context, plugin, key, this.expiresAt);
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
    const misfit = misfitOf(method.output, key, value);
    if (misfit) {
      this.reject(misfit);
      return;
    }
    this.#settle();
    metrics.record(performance.now() - this.started);
    this.onValue(value);
  }

  reject(error: BrokerError | WireError): void {
    if (this.#settled) return;
    this.#settle();
    const failure = error instanceof BrokerError ? error : this.#methodError(error);
    this.target.metrics.record(performance.now() - this.started, failure.code);
    this.host.failed(this.target.key, this.caller, failure);
    this.onError(failure);
  }

  #methodError(error: WireError): BrokerError {
    const { key, plugin } = this.target;
    if (error.code === "invalid_output")
      return new BrokerError("invalid_output", error.message, { method: key });
    const denial = explainSystemError(error, [...this.context.parties, plugin]);
    if (denial) return denial;
    const details = { ...(error.details ?? {}), method: key, thrown: error.name };
    return new BrokerError("method_failed", `${key} failed: ${error.message}`, details);
  }

  reroute(): void {
    if (this.#settled) return;
    this.#settle();
    this.onReplaced();
  }

  expire(): void {
    this.#giveUp(
      new BrokerError("timeout", `${this.target.key} did not answer in time`, { method: this.target.key }),
    );
  }

  #giveUp(error: BrokerError): void {
    if (this.#settled) return;
    const { slot } = this;
    const worker = this.#worker;
    if (worker) {
      this.host.sessionOf(worker)?.withdrawNested(this.#id);
      worker.abandon(this.#id);
    }
    this.reject(error);
    if (!slot) return;
    if (worker) this.host.pool.released(slot);
    else this.host.pool.withdraw(slot, this);
  }

  #settle(): void {
    this.#settled = true;
    this.host.wheel.remove(this);
    if (this.#withdraw) this.signal?.removeEventListener("abort", this.#withdraw);
    if (this.#worker) this.host.sessionOf(this.#worker)?.runs.delete(this.#id);
  }
}
