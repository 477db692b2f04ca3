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

/** Whatever JSON can carry; typed like the result of `JSON.parse`, so the reader decides what it is. */
export type Json = ReturnType<typeof JSON.parse>;

/** What a service's function gives back to Reef: a promise is waited for, anything else is not looked at. */
export type Awaitable = unknown;

/** A service's data layer, as far as Reef needs to know it. */
export interface ServiceStore {
  /** Writes out what is still only in memory. Called before a reload and at shutdown. */
  flush?(): Awaitable;
  /**
   * Lets go of files and connections. Called once, after the last request has been answered, and when `init` failed;
   * not for code that was imported and never started, whose data may be another version's.
   */
  close?(): Awaitable;
}

/** Lines that a service contributes to the status widget of an agent's terminal. */
export interface ServiceWidget {
  getLines(client: FleetClient): Promise<string[]>;
}

/** What a tool does to the world, for clients that ask before they call. */
export interface ToolAnnotations {
  /** Changes nothing. */
  readOnly?: boolean;
  /** May destroy something that cannot be had back. */
  destructive?: boolean;
  /** Calling it twice with the same input has the effect of calling it once. */
  idempotent?: boolean;
}

/** A tool that a service offers on behalf of somebody else, e.g. a method of a plugin. */
export interface ProvidedTool {
  /** Canonical name, unique among all tools. */
  name: string;
  label?: string;
  description: string;
  /** JSON Schema of the input, an object. */
  inputSchema: Record<string, unknown>;
  /** Whose tool it is, e.g. the plugin's identifier. */
  owner: string;
  annotations?: ToolAnnotations;
}

/** Offers tools that no agent runs itself: they are called through the server. */
export interface ToolProvider {
  listTools(): ProvidedTool[];
  /** Resolves with the tool's output, any JSON; rejects with what went wrong. */
  callTool(name: string, input: Json, call: { agentName: string; signal?: AbortSignal }): Promise<Json>;
}

/** What a service folder's `index.ts` exports by default. Of a getter counts what it says when the service has started. */
export interface ServiceModule {
  /** Unique; the mount point `/<name>`. Letters, digits, `-`, `_`, `.`; starts with a letter or digit. */
  name: string;
  description?: string;
  /**
   * HTTP API; sees paths without the `/<name>` prefix. What a handler returns is passed on, whatever its status. What
   * it throws becomes a 500 that tells nothing, unless the app has an `onError` of its own; only a `ReefError` and an
   * `HTTPException` with a status below 500 keep their reply.
   */
  routes?: Hono<Json>;
  /**
   * Mount `routes` at `/` instead of `/<name>`. Services with a matching name win over root routes; of several root
   * routes the one that spells out most of the path does, and of equals the one of the service whose name comes first.
   */
  mountAtRoot?: boolean;
  /** `false` opens all routes to callers without a token. Default `true`. */
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
  /** By tool name; what is not said here is guessed from the verb in the name. */
  toolAnnotations?: Record<string, ToolAnnotations>;
  /** Further tools for the tool catalogue and MCP clients. */
  toolProvider?: ToolProvider;
  routeDocs?: Record<string, RouteDocs>;
  /** The events that the service emits, by name. */
  eventDocs?: Record<string, EventDoc>;
  /** Names of services that must be loaded first. */
  dependencies?: string[];
  /** Free-form labels, e.g. categories by which agents are given a subset of services. */
  capabilities?: string[];
}

/** Receives the data of one event. What it throws or rejects is logged under its service. */
export type EventHandler<T = Json> = (data: T) => Awaitable;

/**
 * Typed event names for authors who want them. Extend it by declaration merging:
 * `declare module "../src/core/types.js" { interface ServiceEvents { "board:task_created": { task: Task } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by services through declaration merging
export interface ServiceEvents {}

type DataOf<E extends string> = E extends keyof ServiceEvents ? ServiceEvents[E] : Json;

/** What follows an event's name: its data, which one without a type may go without. */
type WithData<E extends string> = undefined extends DataOf<E> ? [data?: DataOf<E>] : [data: DataOf<E>];

/** The event bus as one service sees it: what it subscribes to goes when the service goes. */
export interface ServiceEventBus {
  /** Subscribes; returns the function that unsubscribes. Pattern subscriptions are not supported. */
  on<E extends string>(event: E, handler: EventHandler<DataOf<E>>): () => void;
  /** Like `on`, for one delivery. */
  once<E extends string>(event: E, handler: EventHandler<DataOf<E>>): () => void;
  /**
   * Delivers to every subscriber and waits for all of them. Never rejects because of a subscriber.
   * For `"reef:event"` it resolves with the stored node once that is committed, and rejects if it is not.
   */
  emit<E extends string>(event: E, ...data: WithData<E>): Promise<Json>;
  /** `emit` without waiting; failures are logged. */
  fire<E extends string>(event: E, ...data: WithData<E>): void;
}

/** What `init` receives. Everything taken from it belongs to this version of the service and goes with it. */
export interface ServiceContext {
  /** The service's own name. */
  readonly name: string;
  readonly events: ServiceEventBus;
  /**
   * Another service's store. Always the current version's: the handle stays good across reloads. While that service is
   * exchanged, asynchronous methods wait; others may throw `BUSY`, a 503, when there are many calls, also where they
   * only read.
   */
  getStore<T = Json>(name: string): T | undefined;
  getModules(): ServiceModule[];
  getModule(name: string): ServiceModule | undefined;
  /**
   * Loads or reloads the folder `dirName` of the services folder. Rejects with the reason it could not. An `init` may
   * load other folders, not its own.
   */
  loadModule(dirName: string): Promise<{ name: string; action: "added" | "updated" }>;
  unloadModule(name: string): Promise<void>;
  /** Absolute path of the services folder. */
  readonly servicesDir: string;
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** Writes to the service's own log. */
  readonly log: Logger;
  /** Aborts when this version goes. */
  readonly signal: AbortSignal;
  /** Runs `fn` when this version goes; last registered, first run. */
  onDispose(fn: () => Awaitable): void;
  /**
   * Timers that end with this version. Milliseconds, as in the platform's functions of the same name; 24 days are waited
   * for where more are asked for.
   */
  setTimeout(fn: () => Awaitable, ms: number): () => void;
  setInterval(fn: () => Awaitable, ms: number): () => void;
  /**
   * Sends a request through Reef's own dispatch, inside the process, without the network. It needs the
   * authorization that it would need from outside, unless `trusted`: then the caller vouches for it.
   */
  dispatch(request: Request, options?: { trusted?: boolean }): Promise<Response>;
  /** Whether a request carries the server's token, for services that decide route by route who may call. */
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

/** What one call to the server needs that others do not. */
export interface CallOptions {
  /**
   * How long the call may take, its retry included, in milliseconds; default 30 000. For routes that take longer.
   * Where the agent waits for a handler or a widget, a call has no more time than that.
   */
  timeoutMs?: number;
  /**
   * Repeats the call until the server answers, within that time, for what is to be known after a restart, too. Otherwise
   * it is repeated once. What may not be repeated (`POST`, `PATCH`) never is.
   */
  untilAnswered?: boolean;
}

/** What tools, behaviours and widgets use to reach Reef from an agent's process. */
export interface FleetClient {
  /**
   * Authenticated call to the server, e.g. `api("POST", "/board/tasks", { title })`. Resolves with the decoded
   * JSON (or text, but neither HTML nor bytes) of a 2xx reply; otherwise rejects with `METHOD path (status): message`,
   * and with the reply's `status` and `body`.
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
  /** The error for tools called where `VERS_INFRA_URL` is not set. */
  noUrl(): ToolResult;
}
