/** The HTTP side of one generation: its app, its request counters and its open streams. */

import { type ErrorCode, errorReply } from "../errors.js";
import { currentWork, endWork, isWorkOf, newWork, type Work } from "../generation/host-context.js";
import { thrownReplies } from "../lazy.js";
import type { Logger } from "../log.js";
import type { Scope } from "../scope.js";
import { isJson, mayWrite, StreamWatch } from "../streams.js";
import type { ServiceModule } from "../types.js";
import { Condition } from "../waiters.js";
import type { JsonContext } from "./json-context.js";
import { type MountedApp, mountApp } from "./mounted-app.js";
import { withHeaders } from "./unknown-route.js";

/** Bun's server if the request came over the network; undefined inside the process. */
export type Env = Bun.Server<undefined> | undefined;

/** What is known of a reply: JSON that already has all headers, other JSON, or anything else. */
export type ReplyKind = "ready" | "json" | "other";

/** What the dispatcher does for all services. */
export interface ServingHooks {
  /** Called with every error that a handler threw; returns the reply. */
  failed(error: unknown, request: Request, service: string, log?: Logger): Response;
  /** Called with every reply, including those that Reef made; returns the reply to send. */
  complete(reply: Response, request: Request, kind?: ReplyKind): Response;
}

/**
 * A request whose asynchronous handler has not returned. They form a linked ring, which is free to join and
 * leave; a `Set` that changes with every request is constantly rebuilt (0.1 µs per request).
 */
class PendingRequest {
  next: PendingRequest = this;
  previous: PendingRequest = this;

  constructor(
    readonly request: Request | undefined,
    readonly resolve: (reply: Response) => void,
    readonly work?: Work,
  ) {}

  get mayWrite(): boolean {
    return mayWrite(this.request as Request);
  }

  /** Whether it waits for a change of services. */
  get awaitsChange(): boolean {
    return (this.work?.awaitedChanges ?? 0) > 0;
  }

  join(ring: PendingRequest): void {
    this.next = ring;
    this.previous = ring.previous;
    this.previous.next = this;
    ring.previous = this;
  }

  /** Leaves the ring. Returns whether it was still in it. */
  leave(): boolean {
    if (this.next === this) return false;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
    return true;
  }
}

/** Runs a service's handlers in its own context and counts them. */
export class Serving {
  /** Requests whose handler has not returned. */
  active = 0;
  served = 0;
  errors = 0;
  readonly streams = new StreamWatch();
  /** Whether requests are tracked, so that it is known which of them wait for a change of services. */
  readonly tracksWork: boolean;
  readonly #scope: Scope;
  readonly #app: MountedApp | undefined;
  readonly #hooks: ServingHooks;
  /** The head of the ring of pending requests. */
  readonly #ring = new PendingRequest(undefined, () => undefined);
  /** Notified when a handler has returned. */
  readonly #returned = new Condition();

  constructor(module: ServiceModule, scope: Scope, hooks: ServingHooks) {
    this.#scope = scope;
    this.#hooks = hooks;
    // Tracking costs 0.1 µs per request, and only these services can lose data without it.
    this.tracksWork = module.store?.flush !== undefined && module.init !== undefined;
    this.#app = module.routes && mountApp(module, (error, request) => this.#fail(error, request));
  }

  /** Whether the caller runs as part of work that this version does. */
  get isOwnRequest(): boolean {
    return isWorkOf(this.#scope);
  }

  get hasRoutes(): boolean {
    return this.#app !== undefined;
  }

  /** Answers one request. Never throws and never rejects. */
  handle(request: Request, env: Env): Response | Promise<Response> {
    const app = this.#app;
    if (!app) return this.#hooks.complete(errorReply("NOT_FOUND"), request);
    this.served++;
    this.active++;
    let result: unknown;
    let context: JsonContext | undefined;
    const work = this.tracksWork ? newWork(this.#scope, this.#returned) : undefined;
    try {
      const found = app.find?.(request, env);
      context = found?.context;
      // Most services are not tracked: their handlers are called without any wrapper.
      const { run } = this.#scope;
      if (!work)
        result = found ? run(found.handler, found.context, found.next) : run(app.fetch, request, env);
      else if (found) result = currentWork.run(work, run, found.handler, found.context, found.next);
      else result = currentWork.run(work, run, app.fetch, request, env);
      if (context) result ??= run(app.unknown, context);
      // Subclasses of Promise have a `then` of the service's own.
      if (result instanceof Promise && result.constructor !== Promise) {
        result = this.#scope.run(settled, result);
      }
    } catch (error) {
      if (work) endWork(work);
      return this.#finish(this.#fail(error, request, context), request, env);
    }
    if (!(result instanceof Promise)) {
      if (work) endWork(work);
      return this.#finish(result, request, env, context);
    }
    // A handler whose code is gone never settles, so the reply must be ours to give; see `abandon`.
    return new Promise((resolve) => {
      const pending = new PendingRequest(request, resolve, work);
      pending.join(this.#ring);
      void this.#await(app, result as Promise<unknown>, pending, request, env, context);
    });
  }

  /** An async method, since `then` with two callbacks costs more (0.2 µs per request). Never rejects. */
  async #await(
    app: MountedApp,
    result: Promise<unknown>,
    pending: PendingRequest,
    request: Request,
    env: Env,
    context: JsonContext | undefined,
  ): Promise<void> {
    let reply: unknown;
    try {
      reply = await result;
      if (context) reply ||= context.finalized ? context.res : await this.#scope.run(app.unknown, context);
    } catch (error) {
      reply = this.#fail(error, request, context);
    }
    const isLate = pending.awaitsChange && this.#isLate(pending);
    if (pending.work) endWork(pending.work);
    if (!pending.leave()) return;
    if (isLate) reply = errorReply("BUSY");
    pending.resolve(this.#finish(reply, request, env, context));
  }

  /**
   * Whether what a handler may have stored comes too late for the next version. Only a handler that requested a
   * change without waiting for it can end during the flush window.
   */
  #isLate({ mayWrite }: PendingRequest): boolean {
    const { flushWindow } = this.#scope;
    if (!flushWindow || !mayWrite) return false;
    flushWindow.wasCalled = true;
    return flushWindow.refusesCalls;
  }

  /**
   * Answers pending requests with an error because the version's code is about to go: all of them, those that
   * may write, or those that may write and that a change waits for (not those that themselves wait for a
   * change).
   */
  abandon(who: "all" | "writers" | "awaited writers" = "all", code: ErrorCode = "BUSY"): void {
    for (const pending of this.#pending()) {
      if (who !== "all" && !pending.mayWrite) continue;
      if (who === "awaited writers" && pending.awaitsChange) continue;
      pending.leave();
      this.active--;
      pending.resolve(this.#hooks.complete(errorReply(code), pending.request as Request));
    }
    this.#returned.notify();
  }

  #pending(): PendingRequest[] {
    const pending: PendingRequest[] = [];
    for (let one = this.#ring.next; one !== this.#ring; one = one.next) pending.push(one);
    return pending;
  }

  #finish(response: unknown, request: Request, env: Env, context?: JsonContext): Response {
    this.active--;
    if (this.#returned.hasWaiters) this.#returned.notify();
    if (context?.ready !== undefined && context.ready === response) {
      return this.#hooks.complete(context.ready, request, "ready");
    }
    try {
      const reply =
        response instanceof Response && canBeSent(response) ? response : this.#noReply(response, request);
      return isJson(reply)
        ? this.#hooks.complete(reply, request, "json")
        : this.#hooks.complete(this.streams.note(reply, request, env), request, "other");
    } catch (error) {
      // It is a Response in name only.
      return this.#hooks.complete(this.#fail(error, request), request);
    }
  }

  #noReply(value: unknown, request: Request): Response {
    return this.#fail(new TypeError(`the handler returned ${problemOf(value)}`), request);
  }

  /** Turns a thrown value into a reply. Its fields may be anything, and may throw. */
  #fail(error: unknown, request: Request, context?: JsonContext): Response {
    try {
      const reply = thrownReplies().replyTo(error, request, this.#scope.log) ?? this.#failed(error, request);
      return context ? withHeaders(reply, context.res.headers) : reply;
    } catch (problem) {
      return this.#failed(problem, request);
    }
  }

  #failed(error: unknown, request: Request): Response {
    this.errors++;
    return this.#hooks.failed(error, request, this.#scope.service, this.#scope.log);
  }

  /**
   * Resolves with true when at most `except` handlers are running, with false after `ms` milliseconds. Handlers
   * known to wait for a change of services do not count unless `includeAwaiting`, since no change may wait for
   * them.
   */
  whenIdle(ms: number, except = 0, includeAwaiting = false): Promise<boolean> {
    const excludesAwaiting = this.tracksWork && !includeAwaiting;
    const awaiting = () =>
      excludesAwaiting ? this.#pending().filter(({ awaitsChange }) => awaitsChange).length : 0;
    return this.#returned.wait(() => this.active - awaiting() <= except, ms);
  }

  /** Like `whenIdle`, for handlers that may write: those of all methods but GET, HEAD and OPTIONS. */
  whenWritten(ms: number): Promise<boolean> {
    return this.#returned.wait(
      () => !this.#pending().some(({ awaitsChange, mayWrite }) => mayWrite && !awaitsChange),
      ms,
    );
  }
}

const canBeSent = ({ bodyUsed, status }: Response) => !bodyUsed && status >= 200;

function problemOf(value: unknown): string {
  if (!(value instanceof Response)) return `${typeof value} instead of a Response`;
  return value.bodyUsed
    ? "a Response whose body has already been read or sent"
    : `a Response of status ${value.status}, which cannot be sent`;
}

/** Converts a promise of a subclass into a plain one. */
const settled = (promise: Promise<unknown>) =>
  new Promise<unknown>((resolve, reject) => promise.then(resolve, reject));
