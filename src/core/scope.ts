/** What one version of a service owns, and letting go of all of it. */

import { messageOf } from "./errors.js";
import type { Logger } from "./log.js";
import type { Awaitable } from "./types.js";
import { InFlight } from "./version/in-flight.js";
import { Waiters } from "./waiters.js";

/** Enters the context in which a service's code runs, so that what it opens and throws is its own. */
export type Run = <A extends unknown[], R>(fn: (...args: A) => R, ...args: A) => R;

const runDirectly: Run = (fn, ...args) => fn(...args);

/** The longest that a timer takes, in milliseconds: for code whose limits apply elsewhere. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

/** Raised to whoever waits for code whose version of the service is gone. */
export class ScopeEnded extends Error {
  override name = "ScopeEnded";
}

/**
 * Settles like `promise`, or rejects with `makeError()` after `ms` milliseconds; before that if it is given up by the
 * `waiters` it belongs to.
 */
export function within<T>(
  promise: Promise<T>,
  ms: number,
  makeError: () => Error,
  waiters?: Waiters,
): Promise<T> {
  // Not with `Promise.race`, which costs eight times as much: a start does this for each service.
  return new Promise((resolve, reject) => {
    let leave: (() => void) | undefined;
    const timer = setTimeout(() => {
      leave?.();
      reject(makeError());
    }, ms);
    leave = waiters?.join((error) => {
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
    // A service may give something else than a promise.
    Promise.resolve(promise).then(settle(resolve), settle(reject));
  });
}

type Disposer = () => Awaitable;

/** How long one disposer may take before the next one runs, in milliseconds. */
const DISPOSER_LIMIT_MS = 5000;

/**
 * What happens to a store's methods that others call between its last saving and the next version. Asynchronous ones
 * wait. What the others change would be lost, so the handover begins again when any was called; since that could go on
 * for ever, the last time they are refused.
 */
export interface Handover {
  wasUsed: boolean;
  readonly isClosed: boolean;
}

/** Owns the subscriptions, timers, disposers and unfinished work of one version of a service. */
export class Scope {
  /** The name under which it logs; the folder until the module has said its own. */
  service: string;
  readonly log: Logger;
  /** Runs a function in the service's own context. */
  readonly run: Run;
  /**
   * Whether events reach this version; false until it is swapped in and after it is swapped out. Its timers run from
   * when they are made until its end.
   */
  active = false;
  /** Set while the service is being exchanged; events for it wait until this settles. */
  paused: Promise<void> | undefined;
  /** Set while the store, which was saved, is handed over to the next version. */
  handover: Handover | undefined;
  lateErrors = 0;
  handlers = 0;
  timers = 0;
  processListeners = 0;
  #handling: InFlight | undefined;
  readonly #controller = new AbortController();
  readonly #disposers = new Set<Disposer>();
  #waiters: Waiters | undefined;
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

  /** Events that are being handled, and what others do with the store. */
  get handling(): InFlight {
    this.#handling ??= new InFlight(this);
    return this.#handling;
  }

  get disposers(): number {
    return this.#disposers.size;
  }

  /** Registers a disposer; returns the function that withdraws it. After the end it runs at once. */
  own(disposer: Disposer): () => void {
    if (this.#ended) {
      void this.#dispose(disposer);
      return () => undefined;
    }
    this.#disposers.add(disposer);
    return () => this.#disposers.delete(disposer);
  }

  /** Logs and counts an error that no caller is there to receive. */
  fault(where: string, error: unknown): void {
    this.lateErrors++;
    this.log.error(`${where}:`, error);
  }

  /** Settles like `promise`; rejects with {@link ScopeEnded} if this scope ends first. */
  outlive<T>(promise: Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#endedError());
    this.#waiters ??= new Waiters();
    return this.#waiters.wait(promise);
  }

  /** A timer that ends with this scope and whose errors stay in it. Returns the function that stops it. */
  timer(kind: "timeout" | "interval", fn: () => Awaitable, ms: number): () => void {
    const tick = () => {
      if (kind === "timeout") release();
      this.call(`timer (${kind} of ${ms} ms)`, fn);
    };
    // What is longer than timers can wait would run at once, and an interval again and again.
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

  /** Calls service code whose result nobody waits for; what it throws or rejects is logged. */
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
      await within(done, DISPOSER_LIMIT_MS, () => new Error(`did not finish within ${DISPOSER_LIMIT_MS} ms`));
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

  /** Releases everybody who still waits for this scope's code. Call it when that code can no longer answer. */
  abandon(): void {
    this.#waiters?.giveUp(this.#endedError());
  }
}
