/**
 * The public contract between Reef and a service. A service is a folder whose `index.ts` default-exports a
 * {@link ServiceModule}; everything else in this file is what Reef hands to it or expects from it.
 */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import type { Hono } from "hono";
import type { EventDoc, RouteDocs } from "./doc-types.js";
import type { Logger } from "./log.js";
import type { ServiceRegistry } from "./registry-types.js";

export type {
  EventDoc,
  JsonSchema,
  ParamDoc,
  ResponseDoc,
  RouteDocs,
  RouteExample,
} from "./doc-types.js";

/** Any JSON value, typed like the result of `JSON.parse`: the reader decides what it is. */
export type Json = ReturnType<typeof JSON.parse>;

/** The result of a service's function: promises are awaited, other values ignored. */
export type Awaitable = unknown;

/** A service's data layer, as far as Reef uses it. */
export interface ServiceStore {
  /** Writes everything that is only in memory to disk. Called before a reload and at shutdown. */
  flush?(): Awaitable;
  /**
   * Closes files and connections. Called once, after the last request has been answered, or when `init` failed;
   * not for code that was imported and never started, whose data may belong to another version.
   */
  close?(): Awaitable;
}

/** Lines that a service contributes to the status widget of an agent's terminal. */
export interface ServiceWidget {
  getLines(client: FleetClient): Promise<string[]>;
}

/** The effects of a tool, for clients that ask before they call. */
export interface ToolAnnotations {
  /** It changes nothing. */
  readOnly?: boolean;
  /** It may destroy something irrecoverably. */
  destructive?: boolean;
  /** Repeating a call with the same input has no further effect. */
  idempotent?: boolean;
}

/** A tool that a service offers on behalf of others, e.g. a plugin's method. */
export interface ProvidedTool {
  /** The canonical name, unique among all tools. */
  name: string;
  label?: string;
  description: string;
  /** The JSON Schema of the input, which is an object. */
  inputSchema: Record<string, unknown>;
  /** The owner of the tool, e.g. the plugin's identifier. */
  owner: string;
  annotations?: ToolAnnotations;
}

/** Offers tools that run in the server rather than in the agent. */
export interface ToolProvider {
  listTools(): ProvidedTool[];
  /** Resolves with the tool's output, any JSON; rejects with the error. */
  callTool(name: string, input: Json, call: { agentName: string; signal?: AbortSignal }): Promise<Json>;
}

/**
 * The default export of a service folder's `index.ts`. Getters are evaluated once, when the service has
 * started.
 *
 * @example
 * const routes = new Hono().get("/", (c) => c.json({ hello: "world" }));
 * export default { name: "hello", routes } satisfies ServiceModule;
 */
export interface ServiceModule {
  /** Unique; the mount point `/<name>`. Letters, digits, `-`, `_`, `.`; starts with a letter or digit. */
  name: string;
  description?: string;
  /**
   * The HTTP API, which sees paths without the `/<name>` prefix. Returned replies are passed on, whatever their
   * status. Thrown errors become a 500 without details, unless the app has its own `onError`; only a
   * `ReefError`, and an `HTTPException` with a status below 500, keep their reply.
   */
  routes?: Hono<Json>;
  /**
   * Mounts `routes` at `/` instead of `/<name>`. Services with a matching name take precedence over root
   * routes. Of several root routes the most specific one answers; ties go to the service whose name sorts
   * first.
   */
  mountAtRoot?: boolean;
  /** `false` allows requests without a token on all routes. Default `true`. */
  requiresAuth?: boolean;
  store?: ServiceStore;
  /** Called once per loaded version, after the services named in `dependencies`. May be async. */
  init?(ctx: ServiceContext): Awaitable;
  /** Called once when this version goes: after a reload's drain, at unload, at shutdown. */
  dispose?(): Awaitable;
  /** Client half: tools for the agent. Runs in the agent's process, never in the server. */
  registerTools?(pi: ExtensionAPI, client: FleetClient): void;
  /** Client half: event handlers and timers in the agent's process. */
  registerBehaviors?(pi: ExtensionAPI, client: FleetClient): void;
  widget?: ServiceWidget;
  /** Annotations by tool name. Missing ones are inferred from the verb in the name. */
  toolAnnotations?: Record<string, ToolAnnotations>;
  /** Further tools for the tool catalogue and MCP clients. */
  toolProvider?: ToolProvider;
  routeDocs?: Record<string, RouteDocs>;
  /** Documentation of the events that the service emits, by name. */
  eventDocs?: Record<string, EventDoc>;
  /** The names of services that must be started first. */
  dependencies?: string[];
  /** Free-form labels, e.g. categories by which agents are given a subset of services. */
  capabilities?: string[];
}

/** Receives the data of an event. Errors are logged under the handler's service. */
export type EventHandler<T = Json> = (data: T) => Awaitable;

/**
 * Typed event names, optional. Extend it by declaration merging.
 *
 * @example
 * declare module "../src/core/types.js" {
 *   interface ServiceEvents { "board:task_created": { task: Task } }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by services through declaration merging
export interface ServiceEvents {}

type DataOf<E extends string> = E extends keyof ServiceEvents ? ServiceEvents[E] : Json;

/** The arguments after an event's name: its data, which may be omitted if its type allows `undefined`. */
type WithData<E extends string> = undefined extends DataOf<E> ? [data?: DataOf<E>] : [data: DataOf<E>];

/** The event bus as one service sees it. Its subscriptions end with it. */
export interface ServiceEventBus {
  /** Subscribes to an event. Returns the function that unsubscribes. Patterns are not supported. */
  on<E extends string>(event: E, handler: EventHandler<DataOf<E>>): () => void;
  /** Like `on`, for one delivery. */
  once<E extends string>(event: E, handler: EventHandler<DataOf<E>>): () => void;
  /**
   * Delivers an event to all subscribers and waits for them. Errors of subscribers do not reject it. For
   * `"reef:event"` it resolves with the stored event once that is committed, and rejects if it cannot be
   * stored.
   */
  emit<E extends string>(event: E, ...data: WithData<E>): Promise<Json>;
  /** `emit` without waiting; failures are logged. */
  fire<E extends string>(event: E, ...data: WithData<E>): void;
}

/**
 * The context that `init` receives. Everything obtained from it belongs to this version of the service and ends
 * with it.
 */
export interface ServiceContext {
  /** The service's own name. */
  readonly name: string;
  readonly events: ServiceEventBus;
  /**
   * Another service's store. The handle stays valid across reloads and always refers to the current version.
   * While that service is being exchanged, async methods wait; others may throw `BUSY` (503) under many calls, even
   * if they only read.
   */
  getStore<T = Json>(name: string): T | undefined;
  getModules(): ServiceModule[];
  getModule(name: string): ServiceModule | undefined;
  /**
   * Loads or reloads a folder below the services folder. Rejects with a `LoadFailure`. An `init` may load other
   * folders, not its own.
   */
  loadModule(dirName: string): Promise<{ name: string; action: "added" | "updated" }>;
  unloadModule(name: string): Promise<void>;
  /** The absolute path of the services folder. */
  readonly servicesDir: string;
  /** The absolute path of the data folder. */
  readonly dataDir: string;
  /** Writes to the service's own log. */
  readonly log: Logger;
  /** Aborted when this version goes. */
  readonly signal: AbortSignal;
  /** Runs `fn` when this version goes; in reverse order of registration. */
  onDispose(fn: () => Awaitable): void;
  /**
   * Timers that end with this version; each returns the function that stops it. Delays are in milliseconds, at
   * most 24 days; longer ones are shortened to that.
   */
  setTimeout(fn: () => Awaitable, ms: number): () => void;
  setInterval(fn: () => Awaitable, ms: number): () => void;
  /**
   * Sends a request through Reef's routing, inside the process. It needs the same authorisation as from
   * outside, unless `trusted`: the caller then vouches for it.
   *
   * @example
   * const reply = await ctx.dispatch(new Request("http://localhost/board/tasks"), { trusted: true });
   */
  dispatch(request: Request, options?: { trusted?: boolean }): Promise<Response>;
  /** Whether a request carries the server's token; for services that authorise individual routes. */
  authenticate(request: Request): boolean;
  /** Loaded, failed and disabled services, and the operations that change them. */
  readonly registry: ServiceRegistry;
}

/** The result of a tool call, as an agent sees it. */
export interface ToolResult {
  content: Array<{ type: "text"; text: string }>;
  details: Record<string, unknown>;
  isError?: boolean;
}

/** Options of a call to the server. */
export interface CallOptions {
  /**
   * The maximum duration of the call including retries, in milliseconds; default 30 000. Where the agent waits
   * for a handler or a widget, the limit of that applies too.
   */
  timeoutMs?: number;
  /**
   * Retries the call within that time until the server replies, for instance across a restart. Otherwise it is
   * retried once. Methods that are not idempotent (`POST`, `PATCH`) are never retried.
   */
  untilAnswered?: boolean;
}

/** The client with which tools, behaviours and widgets reach Reef from an agent's process. */
export interface FleetClient {
  /**
   * Makes an authenticated call to the server, e.g. `api("POST", "/board/tasks", { title })`. Resolves with the
   * decoded JSON, or text, of a 2xx reply; HTML and binary data are errors. Otherwise rejects with `METHOD path
   * (status): message`, and with the reply's `status` and `body`.
   */
  api<T = Json>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<T>;
  /** `VERS_INFRA_URL` without a trailing slash, or `""` when the agent has no control plane. */
  getBaseUrl(): string;
  /** `VERS_AGENT_NAME`, or `agent-<pid>`. */
  readonly agentName: string;
  /** `VERS_VM_ID`, if set. */
  readonly vmId: string | undefined;
  /** `VERS_AGENT_ROLE`; `"worker"` when unset. */
  readonly agentRole: string;
  /** `REEF_CATEGORY`, if set. */
  readonly agentCategory: string | undefined;
  /** Whether another agent started this one (`VERS_PARENT_AGENT` is set). */
  readonly isChildAgent: boolean;
  ok(text: string, details?: Record<string, unknown>): ToolResult;
  err(text: string): ToolResult;
  /** The error result of tools when `VERS_INFRA_URL` is not set. */
  noUrl(): ToolResult;
}
