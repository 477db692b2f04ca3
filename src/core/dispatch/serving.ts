/** The HTTP side of one generation: its Hono app, its request counters, its open streams. */

import { type ErrorCode, errorReply } from "../errors.js";
import { endWork, isWorkOf, newWork, type Work, working } from "../generation/host-context.js";
import { thrownReplies } from "../lazy.js";
import type { Logger } from "../log.js";
import type { Scope } from "../scope.js";
import { isJson, mayWrite, StreamWatch } from "../streams.js";
import type { ServiceModule } from "../types.js";
import { Condition } from "../waiters.js";
import type { JsonContext } from "./json-context.js";
import { type MountedApp, mountApp } from "./mounted-app.js";
import { withHeaders } from "./unknown-route.js";

/** Bun's server when the request came over the network; undefined inside the process. */
export type Env = Bun.Server<undefined> | undefined;

export type ReplyKind = "ready" | "json" | "other";

/** What the dispatcher does for every service. */
export interface ServingHooks {
  /** Called with every error a handler threw; returns the reply. */
  failed(error: unknown, request: Request, service: string, log?: Logger): Response;
  /**
   * Called with every reply, the service's own or not; returns the reply to send. `kind` says what is known of
   * it: a JSON reply that lacks nothing, a JSON reply, or anything else.
   */
  complete(reply: Response, request: Request, kind?: ReplyKind): Response;
}

/**
 * An asynchronous handler that has not returned. They form a ring, which costs nothing to join and to leave; a `Set`
 * that changes with every request is rebuilt all the time (0.1 µs a request).
 */
class Pending {
  next: Pending = this;
  previous: Pending = this;

  constructor(
    readonly request: Request | undefined,
    readonly resolve: (reply: Response) => void,
    readonly work?: Work,
  ) {}

  get mayWrite(): boolean {
    return mayWrite(this.request as Request);
  }

  /** Whether it waits for a change of services itself. */
  get isAsking(): boolean {
    return (this.work?.asks ?? 0) > 0;
  }

  join(ring: Pending): void {
    this.next = ring;
    this.previous = ring.previous;
    this.previous.next = this;
    ring.previous = this;
  }

  /** Returns whether it was still in the ring. */
  leave(): boolean {
    if (this.next === this) return false;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
    return true;
  }
}

/** Answers a service's requests in its own context and counts them. */
export class Serving {
  /** Requests whose handler has not returned. */
  active = 0;
  served = 0;
  errors = 0;
  readonly streams = new StreamWatch();
  /** Whether it is known of each request if it waits for a change of services. */
  readonly knowsAsking: boolean;
  readonly #scope: Scope;
  readonly #app: MountedApp | undefined;
  readonly #hooks: ServingHooks;
  /** Where the ring of pending handlers begins and ends. */
  readonly #ring = new Pending(undefined, () => undefined);
  /** Changes with each handler that has returned. */
  readonly #returned = new Condition();

  constructor(module: ServiceModule, scope: Scope, hooks: ServingHooks) {
    this.#scope = scope;
    this.#hooks = hooks;
    // It costs a tenth of a microsecond, and nobody else can lose by it.
    this.knowsAsking = module.store?.flush !== undefined && module.init !== undefined;
    this.#app = module.routes && mountApp(module, (error, request) => this.#fail(error, request));
  }

  /** Whether this is asked as part of something that this version does. */
  get isAsking(): boolean {
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
    const work = this.knowsAsking ? newWork(this.#scope, this.#returned) : undefined;
    try {
      const found = app.find?.(request, env);
      context = found?.context;
      // Without it nothing is put around it, not even a closure: that is the way of most requests.
      const { run } = this.#scope;
      if (!work)
        result = found ? run(found.handler, found.context, found.next) : run(app.fetch, request, env);
      else if (found) result = working.run(work, run, found.handler, found.context, found.next);
      else result = working.run(work, run, app.fetch, request, env);
      if (context) result ??= run(app.unknown, context);
      // What else is a promise has a `then` of the service's own.
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
    // A handler whose code is gone never settles, so its reply is ours to give; see `abandon`.
    return new Promise((resolve) => {
      const pending = new Pending(request, resolve, work);
      pending.join(this.#ring);
      void this.#await(app, result as Promise<unknown>, pending, request, env, context);
    });
  }

  /** An asynchronous method, since `then` with two functions costs more (0.2 µs a request). Never rejects. */
  async #await(
    app: MountedApp,
    result: Promise<unknown>,
    pending: Pending,
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
    const isLate = pending.isAsking && this.#isLate(pending);
    if (pending.work) endWork(pending.work);
    if (!pending.leave()) return;
    if (isLate) reply = errorReply("BUSY");
    pending.resolve(this.#finish(reply, request, env, context));
  }

  /**
   * Whether what a handler may have stored comes too late for the next version. Only one that asks for a change, and
   * does not wait for it, ends while the store is handed over.
   */
  #isLate({ mayWrite }: Pending): boolean {
    const { handover } = this.#scope;
    if (!handover || !mayWrite) return false;
    handover.wasUsed = true;
    return handover.isClosed;
  }

  /**
   * Answers 503 to everybody whose handler has not returned, or to those alone who may be writing: all of them, or those
   * that a change waits for, since they do not wait for one. For when its code is about to go; `code` says why.
   */
  abandon(who: "all" | "writers" | "awaited writers" = "all", code: ErrorCode = "BUSY"): void {
    for (const pending of this.#pending()) {
      if (who !== "all" && !pending.mayWrite) continue;
      if (who === "awaited writers" && pending.isAsking) continue;
      pending.leave();
      this.active--;
      pending.resolve(this.#hooks.complete(errorReply(code), pending.request as Request));
    }
    this.#returned.notify();
  }

  #pending(): Pending[] {
    const pending: Pending[] = [];
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
      // It only looks like a reply.
      return this.#hooks.complete(this.#fail(error, request), request);
    }
  }

  #noReply(value: unknown, request: Request): Response {
    return this.#fail(new TypeError(`the handler returned ${problemOf(value)}`), request);
  }

  /** What is thrown is the service's own: its fields may be anything, and may throw. */
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
   * Resolves with `true` when at most `except` handlers are running, with `false` after `ms` milliseconds. Those that
   * are known to wait for a change of services count only with `waitsForAskers`: no change may wait for them.
   */
  whenIdle(ms: number, except = 0, waitsForAskers = false): Promise<boolean> {
    const leavesOut = this.knowsAsking && !waitsForAskers;
    const asking = () => (leavesOut ? this.#pending().filter(({ isAsking }) => isAsking).length : 0);
    return this.#returned.wait(() => this.active - asking() <= except, ms);
  }

  /** Like `whenIdle`, for handlers of requests that may write: all but GET, HEAD and OPTIONS. */
  whenWritten(ms: number): Promise<boolean> {
    return this.#returned.wait(
      () => !this.#pending().some(({ isAsking, mayWrite }) => mayWrite && !isAsking),
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

/** The same as a plain promise; calls the given one's `then` at once. */
const settled = (promise: Promise<unknown>) =>
  new Promise<unknown>((resolve, reject) => promise.then(resolve, reject));
