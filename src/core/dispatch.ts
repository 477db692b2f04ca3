/** From a request to the service that answers it. The cost does not grow with the number of services. */
import type { Hono } from "hono";
import { type Authenticator, unauthorized } from "./auth.js";
import { NOSNIFF } from "./dispatch/json-context.js";
import { PendingServices } from "./dispatch/pending-services.js";
import type { Env, ReplyKind, Serving } from "./dispatch/serving.js";
import { saysNotFound, withHeaders } from "./dispatch/unknown-route.js";
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
  /** The app, for root services: their routes decide whether a path is theirs. */
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

export interface DispatchOptions {
  authenticate: Authenticator;
  maxBodyBytes: number;
  /** Answers `GET /health`. */
  health: () => Response;
  log: Logger;
}

/** Routes requests to mounts and puts the headers on that every reply carries. */
export class Dispatcher {
  readonly mounts = new Map<string, Mount>();
  /** Services mounted at `/`, asked when no name matches; by name, so that no reload changes who answers. */
  readonly roots: Mount[] = [];
  /** Services that are on their way; requests for them wait. */
  readonly pending = new PendingServices();
  readonly #options: DispatchOptions;
  #server: Env;
  readonly #trusted = new WeakSet<Request>();
  /** Requests that wait until it is known who answers them. */
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

  /** Answers a request; `server` is Bun's when it came over the network. Never throws and never rejects. */
  fetch = (request: Request, server?: Env): Response | Promise<Response> => {
    if (server !== undefined) this.#server = server;
    try {
      return this.#route(request.url.charCodeAt(0) === SLASH ? withHost(request) : request, server);
    } catch (error) {
      return this.complete(this.failed(error, request, "server"), request);
    }
  };

  /** The server ends: who is not there has gone, or does not come any more. */
  end(): void {
    this.#isEnding = true;
  }

  /** Lets a request made inside the process through to protected services. */
  trust(request: Request): void {
    this.#trusted.add(request);
  }

  /** Whether a request may reach protected services. */
  accepts(request: Request): boolean {
    return this.#options.authenticate(request) || this.#trusted.has(request);
  }

  /**
   * Replies on their way to clients that are on no generation's list: bodies from memory that a slow client is
   * still reading, and JSON that is being streamed. `active` counts running handlers, `streams` the listed ones.
   */
  unaccounted(active: number, streams: number): number {
    if (this.#server === undefined) return 0;
    return Math.max(0, this.#server.pendingRequests - this.#waiting - active - streams);
  }

  /** The reply for a thrown error; the log, the service's own where it is known, has it under the request's id. */
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
      ? this.#routeUnnamed(name, request, server)
      : this.#enter(mount, request, server);
  }

  /** Nobody has that name: whose the request is, in the order in which they are asked. */
  #routeUnnamed(name: string, request: Request, server: Env): Response | Promise<Response> {
    if (name === "health" && pathOf(request.url) === "/health") {
      return this.complete(this.#health(request), request);
    }
    const known = this.pending.by(name, server);
    if (known) return this.#whenKnown(known, request, server);
    const root = this.#closestRoot(request);
    if (root) return this.#enter(root, request, server);
    const next = this.pending.nextRoot(server);
    return next ? this.#whenKnown(next, request, server) : this.#unknown(request, server);
  }

  /** Hands a request over to a service. Once it has been exchanged, it may be more strict, or be reachable elsewhere. */
  #enter(mount: Mount, request: Request, server: Env): Response | Promise<Response> {
    if (mount.requiresAuth && !this.accepts(request)) return this.complete(unauthorized(), request);
    // What the version before does is waited for: what it asks of itself for that cannot wait for it.
    if (mount.gate === undefined || mount.serving.isAsking) return mount.serving.handle(request, server);
    if (!isExchanging(mount.name)) return this.#whenKnown(mount.gate, request, server);
    // So are its last saving and the start of the next one; but what it would store for them would be lost.
    return mayWrite(request)
      ? this.complete(errorReply("BUSY"), request)
      : mount.serving.handle(request, server);
  }

  #closestRoot(request: Request): Mount | undefined {
    if (this.roots.length === 0) return undefined;
    return rootRoutes().closestRoot(this.roots, request, this.#options.log);
  }

  /** Nobody has a route for it. Middleware at the root may answer all the same, where the request would be let in. */
  #unknown(request: Request, server: Env): Response | Promise<Response> {
    if (this.roots.length > 0) {
      const mounts = rootRoutes().mayAnswer(this.roots, request, this.#options.log);
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
      if (!(await saysNotFound(reply))) return reply;
      headers ??= reply.headers;
      // The next one would find none.
      if (request.bodyUsed) break;
    }
    const unknown = this.#unknownService();
    return this.complete(headers ? withHeaders(unknown, headers) : unknown, request);
  }

  /** Routes a request anew once `known` has settled: until then it was not known who answers it. */
  async #whenKnown(known: Promise<void>, request: Request, server: Env): Promise<Response> {
    this.#waiting++;
    await known;
    this.#waiting--;
    // Whoever has given up may have sent it again.
    if (request.signal.aborted) return this.complete(clientGone(), request);
    return this.fetch(request, server);
  }

  #health(request: Request): Response {
    if (request.method === "GET") return this.#options.health();
    if (request.method === "HEAD") return new Response(null, this.#options.health());
    return errorReply("NOT_FOUND");
  }

  /** A reply keeps what its service set; only what is missing is added. JSON is no document. */
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
      // Its headers cannot be changed.
      return this.complete(new Response(reply.body, reply), request, kind);
    }
  };
}

const kindOf = (reply: Response): ReplyKind => (isJson(reply) ? "json" : "other");

/** What a client may call its request; anything else is ignored. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const SLASH = 47;
const QUESTION = 63;
const HASH = 35;

/** Without a usable `Host`, as HTTP/1.0 allows, Bun gives the path alone as the URL; nothing can be found in that. */
function withHost(request: Request): Request {
  return new Request(`http://localhost${request.url}`, request);
}

/** `board` of `http://host/board/tasks?x=1`; not decoded, so that a name has one spelling only. */
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

/** The path of a URL, as sent, without the query. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", 8);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}
