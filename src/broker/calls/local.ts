/** Calls of methods inside this process. */
import { messageOf } from "../../core/errors.js";
import type { Json } from "../../core/types.js";
import type { CallOptions } from "../client.js";
import {
  type AcceptedCall,
  type CallContext,
  type Dispatch,
  nestedContext,
  timeoutError,
} from "../context.js";
import { BrokerError } from "../errors.js";
import { type CompiledSchema, compileSchema, type JsonSchema, outputError } from "../schema.js";
import type { MethodMetrics } from "./metrics.js";
import { Deadline, type TimerWheel } from "./timer-wheel.js";

/** A call, as a method inside this process sees it. */
export interface LocalCall {
  /** Aborted when the caller no longer waits. */
  readonly signal: AbortSignal;
  /** The remaining time in milliseconds. */
  readonly remaining: number;
  /** The caller's identifier. */
  readonly caller: string;
  /** Calls another method on behalf of the same caller, within the same deadline. */
  call<Result = Json>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options?: CallOptions,
  ): Promise<Result>;
}

/** A method that a service offers from inside this process. */
export interface LocalMethod {
  /** One line for people and agents. */
  description?: string;
  /** A JSON Schema or TypeBox schema; absent accepts anything. */
  inputSchema?: unknown;
  /** The schema of results. A call whose result does not match fails with `invalid_output`. */
  outputSchema?: unknown;
  /** Receives the caller's input itself, not a copy. */
  handler(input: Json, call: LocalCall): unknown;
}

/** @internal A local method with compiled schemas. */
export interface ReadyLocalMethod {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly input: CompiledSchema;
  readonly output: CompiledSchema;
  readonly handler: (input: unknown, call: LocalCall) => unknown;
  readonly owner: string;
  readonly metrics: MethodMetrics;
}

/** @internal Compiles the schemas of a local method. */
export function readyMethod(
  owner: string,
  key: string,
  name: string,
  method: LocalMethod,
  metrics: MethodMetrics,
): ReadyLocalMethod {
  return {
    key,
    name,
    owner,
    metrics,
    description: method.description ?? "",
    input: compileSchema((method.inputSchema ?? true) as JsonSchema),
    output: compileSchema((method.outputSchema ?? true) as JsonSchema),
    handler: method.handler as ReadyLocalMethod["handler"],
  };
}

/** @internal What a running local call needs from the broker. */
export interface LocalHost {
  readonly wheel: TimerWheel;
  readonly dispatch: Dispatch;
  failed(method: string, caller: string, error: BrokerError): void;
}

/** @internal One call of a method inside this process. */
export class LocalRun extends Deadline implements LocalCall {
  #controller: AbortController | null = null;
  #settled = false;
  #nested: CallContext | null = null;
  #withdraw: (() => void) | null = null;

  constructor(
    private readonly host: LocalHost,
    private readonly method: ReadyLocalMethod,
    private readonly accepted: AcceptedCall,
  ) {
    super();
  }

  /** Runs the handler. The deadline is set already. */
  run(): void {
    const { input, signal } = this.accepted;
    if (signal) this.#follow(signal);
    let result: unknown;
    try {
      result = this.method.handler(input, this);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#succeed(value),
        (error) => this.#fail(error),
      );
    } else this.#succeed(result);
  }

  #follow(signal: AbortSignal): void {
    this.#withdraw = () => {
      this.#end(new BrokerError("cancelled", `the call of ${this.method.key} was cancelled`));
      this.#controller?.abort();
    };
    signal.addEventListener("abort", this.#withdraw, { once: true });
  }

  get caller(): string {
    return this.accepted.context.caller;
  }

  get remaining(): number {
    return Math.max(0, this.expiresAt - performance.now());
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#settled) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Bound, because handlers destructure it. */
  get call(): LocalCall["call"] {
    return this.#callOn.bind(this);
  }

  #callOn<Result>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options: CallOptions = {},
  ): Promise<Result> {
    const { key, owner } = this.method;
    this.#nested ??= nestedContext(
      this.accepted.context,
      { id: owner, permissions: "all" },
      key,
      this.expiresAt,
    );
    const signal = options.signal ? AbortSignal.any([options.signal, this.signal]) : this.signal;
    const answer = this.host.dispatch(
      this.#nested,
      pluginId,
      service,
      method,
      { input },
      { ...options, signal },
    );
    return answer as Promise<Result>;
  }

  expire(): void {
    this.#end(timeoutError(this.method.key, this.accepted, this.expiresAt));
    this.#controller?.abort();
  }

  #succeed(value: unknown): void {
    if (this.#settled) return;
    const { output, key, metrics } = this.method;
    const failedCheck = outputError(output, key, value);
    if (failedCheck) {
      this.#end(failedCheck);
      return;
    }
    this.#settle();
    metrics.record(performance.now() - this.accepted.started);
    this.accepted.resolve(value);
  }

  #fail(thrown: unknown): void {
    if (this.#settled) return;
    const { key } = this.method;
    const name = thrown instanceof Error && typeof thrown.name === "string" ? thrown.name : "Error";
    this.#end(
      new BrokerError(
        "method_failed",
        `${key} failed: ${messageOf(thrown)}`,
        { method: key, thrown: name },
        { cause: thrown },
      ),
    );
  }

  #end(error: BrokerError): void {
    if (this.#settled) return;
    this.#settle();
    this.method.metrics.record(performance.now() - this.accepted.started, error.code);
    this.host.failed(this.method.key, this.accepted.context.caller, error);
    this.accepted.reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.host.wheel.remove(this);
    if (this.#withdraw) this.accepted.signal?.removeEventListener("abort", this.#withdraw);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
