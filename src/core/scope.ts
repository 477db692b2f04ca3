/** Everything that one version of a service owns, and its disposal. */

import { messageOf } from "./errors.js";
import type { Logger } from "./log.js";
import type { Awaitable } from "./types.js";
import { InFlight } from "./version/in-flight.js";
import { PendingWaits } from "./waiters.js";

/** Runs a function in a service's context, so that what it opens and throws belongs to the service. */
export type Run = <A extends unknown[], R>(fn: (...args: A) => R, ...args: A) => R;

const runDirectly: Run = (fn, ...args) => fn(...args);

/** The longest timer delay, in milliseconds; for code whose limits apply elsewhere. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

/** Rejects waits for code whose version of the service is gone. */
export class ScopeEnded extends Error {
  override name = "ScopeEnded";
}

/** Settles like `promise`, or rejects with `makeError()` after `ms` milliseconds, or when `waits` are rejected. */
export function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  makeError: () => Error,
  waits?: PendingWaits,
): Promise<T> {
  // Not `Promise.race`, which costs eight times as much: a start does this for each service.
  return new Promise((resolve, reject) => {
    let leave: (() => void) | undefined;
    const timer = setTimeout(() => {
      leave?.();
      reject(makeError());
    }, ms);
    leave = waits?.add((error) => {
      clearTimeout(timer);
      reject(error);
    });
    const settle =
      <A>(how: (outcome: A) => void) =>
      (outcome: A) => {
        leave?.();
        clearTimeout(timer);
        how(outcome);
      };
    // A service may return something other than a promise.
    Promise.resolve(promise).then(settle(resolve), settle(reject));
  });
}

type Disposer = () => Awaitable;

/** How long a disposer may take before the next one runs, in milliseconds. */
const DISPOSER_LIMIT_MS = 5000;

/**
 * The window between a store's last flush and the swap to the next version, which has read the store. What
 * other services change through it would be lost: calls of async methods wait for the swap; other calls set
 * `wasCalled`, and the store is flushed and the next version started again. Since that could repeat for ever,
 * such calls are refused in the last attempt.
 */
export interface FlushWindow {
  /** Whether the store may have been changed in this window. */
  wasCalled: boolean;
  /** Whether calls are refused. */
  readonly refusesCalls: boolean;
}

/** Owns the subscriptions, timers, disposers and unfinished work of one version of a service. */
export class Scope {
  /** The name used in logs; the folder's until the module's own is known. */
  service: string;
  readonly log: Logger;
  /** Runs a function in the service's own context. */
  readonly run: Run;
  /**
   * Whether this version receives events: from its swap in to its swap out. Its timers run from their creation
   * to its end.
   */
  active = false;
  /** Set while the service is being exchanged; events for it wait until this settles. */
  paused: Promise<void> | undefined;
  /** Set between the store's last flush and the swap. */
  flushWindow: FlushWindow | undefined;
  lateErrors = 0;
  handlers = 0;
  timers = 0;
  processListeners = 0;
  #handling: InFlight | undefined;
  readonly #controller = new AbortController();
  readonly #disposers = new Set<Disposer>();
  #waits: PendingWaits | undefined;
  #ended = false;

  constructor(service: string, log: Logger, run: Run = runDirectly) {
    this.service = service;
    this.log = log;
    this.run = run;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Events being handled, and calls of the store by other services. */
  get handling(): InFlight {
    this.#handling ??= new InFlight(this);
    return this.#handling;
  }

  get disposers(): number {
    return this.#disposers.size;
  }

  /** Registers a disposer. Returns the function that removes it. After the end, the disposer runs at once. */
  own(disposer: Disposer): () => void {
    if (this.#ended) {
      void this.#dispose(disposer);
      return () => undefined;
    }
    this.#disposers.add(disposer);
    return () => this.#disposers.delete(disposer);
  }

  /** Logs and counts an error that no caller receives. */
  fault(where: string, error: unknown): void {
    this.lateErrors++;
    this.log.error(`${where}:`, error);
  }

  /** Settles like `promise`; rejects with {@link ScopeEnded} if this scope ends first. */
  outlive<T>(promise: Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#endedError());
    this.#waits ??= new PendingWaits();
    return this.#waits.wait(promise);
  }

  /** Creates a timer that ends with this scope and whose errors are logged. Returns the function that stops it. */
  timer(kind: "timeout" | "interval", fn: () => Awaitable, ms: number): () => void {
    const tick = () => {
      if (kind === "timeout") release();
      this.call(`timer (${kind} of ${ms} ms)`, fn);
    };
    // Longer delays would overflow and fire at once.
    const wait = Math.min(ms, NO_LIMIT_MS);
    const handle = kind === "timeout" ? setTimeout(tick, wait) : setInterval(tick, wait);
    this.timers++;
    let live = true;
    let withdraw: (() => void) | undefined;
    const release = () => {
      if (!live) return;
      live = false;
      this.timers--;
      clearTimeout(handle);
      withdraw?.();
    };
    withdraw = this.own(release);
    return release;
  }

  /** Calls service code without waiting for its result; errors and rejections are logged. */
  call(where: string, fn: () => Awaitable): void {
    try {
      const result = this.run(fn);
      if (result instanceof Promise) result.catch((error) => this.fault(where, error));
    } catch (error) {
      this.fault(where, error);
    }
  }

  async #dispose(disposer: Disposer): Promise<void> {
    try {
      const done = this.run(async () => disposer());
      await withTimeout(
        done,
        DISPOSER_LIMIT_MS,
        () => new Error(`did not finish within ${DISPOSER_LIMIT_MS} ms`),
      );
    } catch (error) {
      this.fault("disposer", error);
    }
  }

  #endedError(): ScopeEnded {
    return new ScopeEnded(`this version of "${this.service}" is no longer running`);
  }

  /** Aborts the signal, then runs the disposers, last registered first. Never rejects; later calls do nothing. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.active = false;
    this.#ended = true;
    try {
      this.run(() => this.#controller.abort(this.#endedError()));
    } catch (error) {
      this.fault(`abort listener (${messageOf(error)})`, error);
    }
    for (const disposer of [...this.#disposers].reverse()) {
      this.#disposers.delete(disposer);
      await this.#dispose(disposer);
    }
  }

  /** Rejects all waits for this scope's code. Call it when that code can no longer answer. */
  abandon(): void {
    this.#waits?.rejectAll(this.#endedError());
  }
}
