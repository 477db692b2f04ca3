/** Routes each request to the service that answers it. The cost does not grow with the number of services. */
import type { Hono } from "hono";
import { type Authenticator, unauthorized } from "./auth.js";
import { NOSNIFF } from "./dispatch/json-context.js";
import { PendingServices } from "./dispatch/pending-services.js";
import type { Env, ReplyKind, Serving } from "./dispatch/serving.js";
import { isDefaultNotFound, withHeaders } from "./dispatch/unknown-route.js";
import { clientGone, errorReply } from "./errors.js";
import { isExchanging } from "./generation/host-context.js";
import { rootRoutes } from "./lazy.js";
import type { Logger } from "./log.js";
import { isJson, mayWrite } from "./streams.js";

/** Where a service is reachable. Outlives the generations that serve it. */
export class Mount {
  serving: Serving;
  requiresAuth: boolean;
  /** Set while the service is being exchanged; requests wait for it. */
  gate: Promise<void> | undefined;
  /** The app of a root service: its routes decide whether it answers a path. */
  app: Hono | undefined;

  constructor(
    readonly name: string,
    serving: Serving,
    requiresAuth: boolean,
  ) {
    this.serving = serving;
    this.requiresAuth = requiresAuth;
  }
}

/** What a dispatcher needs of the server. */
export interface DispatchOptions {
  authenticate: Authenticator;
  maxBodyBytes: number;
  /** Answers `GET /health`. */
  health: () => Response;
  log: Logger;
}

/** Routes requests to mounts and adds the headers that every reply carries. */
export class Dispatcher {
  readonly mounts = new Map<string, Mount>();
  /**
   * Services mounted at `/`, consulted when no name matches. Sorted by name, so that reloads do not change who
   * answers.
   */
  readonly roots: Mount[] = [];
  /** Services that are still being started; requests for them wait. */
  readonly pending = new PendingServices();
  readonly #options: DispatchOptions;
  #server: Env;
  readonly #trusted = new WeakSet<Request>();
  /** The number of requests that wait for a service to be started or exchanged. */
  #waiting = 0;
  #isEnding = false;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  add(mount: Mount): void {
    if (!mount.app) this.mounts.set(mount.name, mount);
    else {
      const after = this.roots.findIndex(({ name }) => name > mount.name);
      this.roots.splice(after < 0 ? this.roots.length : after, 0, mount);
    }
  }

  remove(mount: Mount): void {
    if (this.mounts.get(mount.name) === mount) this.mounts.delete(mount.name);
    const at = this.roots.indexOf(mount);
    if (at >= 0) this.roots.splice(at, 1);
  }

  /** Answers a request; `server` is Bun's server if it came over the network. Never throws and never rejects. */
  fetch = (request: Request, server?: Env): Response | Promise<Response> => {
    if (server !== undefined) this.#server = server;
    try {
      return this.#route(request.url.charCodeAt(0) === SLASH ? withHost(request) : request, server);
    } catch (error) {
      return this.complete(this.failed(error, request, "server"), request);
    }
  };

  /** The server shuts down: requests for unknown services are answered with `SHUTTING_DOWN` from now on. */
  end(): void {
    this.#isEnding = true;
  }

  /** Marks a request made inside the process as authenticated. */
  trust(request: Request): void {
    this.#trusted.add(request);
  }

  /** Whether a request may reach protected services. */
  accepts(request: Request): boolean {
    return this.#options.authenticate(request) || this.#trusted.has(request);
  }

  /**
   * The number of replies in transit that no generation tracks: bodies from memory that a slow client is still
   * reading, and streamed JSON. `active` is the number of running handlers, `streams` the number of tracked
   * streams.
   */
  untrackedReplies(active: number, streams: number): number {
    if (this.#server === undefined) return 0;
    return Math.max(0, this.#server.pendingRequests - this.#waiting - active - streams);
  }

  /** Logs a thrown error under the request's id, in the service's own log if given, and returns a 500. */
  failed = (error: unknown, request: Request, service: string, log = this.#options.log): Response => {
    const given = request.headers.get("x-request-id");
    const id = given !== null && REQUEST_ID.test(given) ? given : crypto.randomUUID();
    log.error(`${request.method} ${pathOf(request.url)} in "${service}" threw (request ${id}):`, error);
    return errorReply("INTERNAL", undefined, { "x-request-id": id });
  };

  #route(request: Request, server: Env): Response | Promise<Response> {
    if (
      request.method !== "GET" &&
      Number(request.headers.get("content-length")) > this.#options.maxBodyBytes
    ) {
      return this.complete(errorReply("BODY_TOO_LARGE"), request);
    }
    const name = firstSegment(request.url);
    const mount = this.mounts.get(name);
    return mount === undefined
      ? this.#routeOther(name, request, server)
      : this.#enter(mount, request, server);
  }

  /** No service has that name: tries the fallbacks in order. */
  #routeOther(name: string, request: Request, server: Env): Response | Promise<Response> {
    if (name === "health" && pathOf(request.url) === "/health") {
      return this.complete(this.#health(request), request);
    }
    const known = this.pending.by(name, server);
    if (known) return this.#waitAndRoute(known, request, server);
    const root = this.#closestRoot(request);
    if (root) return this.#enter(root, request, server);
    const next = this.pending.nextRoot(server);
    return next ? this.#waitAndRoute(next, request, server) : this.#unknown(request, server);
  }

  /**
   * Passes a request to a service, or waits while it is being exchanged and routes the request again: the new
   * version may be stricter or mounted elsewhere.
   */
  #enter(mount: Mount, request: Request, server: Env): Response | Promise<Response> {
    if (mount.requiresAuth && !this.accepts(request)) return this.complete(unauthorized(), request);
    // The exchange waits for the old version's work, so requests made by that work must not wait for the
    // exchange.
    if (mount.gate === undefined || mount.serving.isOwnRequest) return mount.serving.handle(request, server);
    if (!isExchanging(mount.name)) return this.#waitAndRoute(mount.gate, request, server);
    // Nor may requests made by the last flush or the next version's start; but what they would store would be
    // lost.
    return mayWrite(request)
      ? this.complete(errorReply("BUSY"), request)
      : mount.serving.handle(request, server);
  }

  #closestRoot(request: Request): Mount | undefined {
    if (this.roots.length === 0) return undefined;
    return rootRoutes().closestRoot(this.roots, request, this.#options.log);
  }

  /** No route matches. Middleware of root services may still answer, where the request is authorised. */
  #unknown(request: Request, server: Env): Response | Promise<Response> {
    if (this.roots.length > 0) {
      const mounts = rootRoutes().middlewareMounts(this.roots, request, this.#options.log);
      const open = mounts.filter(({ requiresAuth }) => !requiresAuth || this.accepts(request));
      if (open.length > 0) return this.#askMiddleware(open, request, server);
    }
    return this.complete(this.#unknownService(), request);
  }

  #unknownService(): Response {
    return errorReply(this.#isEnding ? "SHUTTING_DOWN" : "UNKNOWN_SERVICE");
  }

  async #askMiddleware(mounts: readonly Mount[], request: Request, server: Env): Promise<Response> {
    let headers: Headers | undefined;
    for (const mount of mounts) {
      const reply = await this.#enter(mount, request, server);
      if (!(await isDefaultNotFound(reply))) return reply;
      headers ??= reply.headers;
      // The body is consumed, so no further service can be asked.
      if (request.bodyUsed) break;
    }
    const unknown = this.#unknownService();
    return this.complete(headers ? withHeaders(unknown, headers) : unknown, request);
  }

  /** Routes a request again once `known` has settled. */
  async #waitAndRoute(known: Promise<void>, request: Request, server: Env): Promise<Response> {
    this.#waiting++;
    await known;
    this.#waiting--;
    // A client that has disconnected may have retried already.
    if (request.signal.aborted) return this.complete(clientGone(), request);
    return this.fetch(request, server);
  }

  #health(request: Request): Response {
    if (request.method === "GET") return this.#options.health();
    if (request.method === "HEAD") return new Response(null, this.#options.health());
    return errorReply("NOT_FOUND");
  }

  /** Adds missing headers to a reply and keeps those that its service set. JSON gets no document headers. */
  complete = (reply: Response, request: Request, kind: ReplyKind = kindOf(reply)): Response => {
    try {
      const given = request.headers.get("x-request-id");
      if (kind === "ready" && given === null) return reply;
      const { headers } = reply;
      if (given !== null && REQUEST_ID.test(given) && !headers.has("x-request-id")) {
        headers.set("x-request-id", given);
      }
      headers.set(...NOSNIFF);
      if (kind !== "other") return reply;
      if (!headers.has("x-frame-options")) headers.set("x-frame-options", "SAMEORIGIN");
      if (!headers.has("referrer-policy")) headers.set("referrer-policy", "no-referrer");
      return reply;
    } catch {
      // Its headers are immutable.
      return this.complete(new Response(reply.body, reply), request, kind);
    }
  };
}

const kindOf = (reply: Response): ReplyKind => (isJson(reply) ? "json" : "other");

/** Valid `x-request-id` values; others are ignored. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const SLASH = 47;
const QUESTION = 63;
const HASH = 35;

/** Bun gives a bare path as the URL when there is no usable `Host` header, as HTTP/1.0 allows. */
function withHost(request: Request): Request {
  return new Request(`http://localhost${request.url}`, request);
}

/**
 * The first path segment of a URL: `board` of `http://host/board/tasks?x=1`. Not decoded, so that a name has
 * one spelling.
 */
export function firstSegment(url: string): string {
  const start = url.indexOf("/", 8) + 1;
  if (start === 0) return "";
  let end = start;
  for (; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === SLASH || code === QUESTION || code === HASH) break;
  }
  return url.slice(start, end);
}

/** The path of a URL without the query, not decoded. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", 8);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}
