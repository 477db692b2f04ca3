/** The documentation as it is sent: what `GET /docs` answers. Shared by the server's side and the page. */
import type { EventDoc, JsonSchema, RouteDocs } from "../../src/core/types.js";

/** One route; the author's documentation, where there is any, stands beside method and path. */
export interface RouteEntry extends Partial<RouteDocs> {
  /** Unique in the document and stable across reloads: `GET/board/tasks/:id`. The page's anchor. */
  id: string;
  method: string;
  /** Where callers find it, with the service's mount point. */
  path: string;
  /** The path as the service registered it, patterns included. */
  route: string;
  /** Whether it wants a token. */
  auth: boolean;
}

export interface EventEntry extends EventDoc {
  name: string;
}

/** A method that plugins, services and, over HTTP, everybody with a token may call. */
export interface MethodEntry {
  /** Id of the plugin or name of the service that provides it. */
  provider: string;
  /** Name of the service within the provider. */
  service: string;
  name: string;
  description: string;
  inputSchema: JsonSchema;
  outputSchema?: JsonSchema;
  /** Where it is called over HTTP: `POST` with the input as JSON, answered with `{ result }`. */
  path: string;
}

/** A tool that agents may call. */
export interface ToolEntry {
  name: string;
  description: string;
  parameters: JsonSchema;
}

/** Why a service cannot be called, or why its latest change did not take. */
export interface Trouble {
  code: string;
  /** How far loading came; see `FailureStep`. */
  step?: string;
  /** One line, without credentials and paths. */
  reason: string;
  /** What to do about it. */
  help?: string;
  /** ISO 8601 UTC. */
  at?: string;
}

export interface SkippedEntry extends Trouble {
  name: string;
  state: "failed" | "disabled";
}

export interface ServiceEntry {
  name: string;
  description: string;
  auth: boolean;
  routes: RouteEntry[];
  capabilities: { hasTools: boolean; hasBehaviors: boolean; hasWidget: boolean; hasStore: boolean };
  dependencies: string[];
  events: EventEntry[];
  methods: MethodEntry[];
  tools: ToolEntry[];
  /** The latest change of this service that failed, while an earlier version serves on. */
  failure?: Trouble;
}

export interface Docs {
  services: ServiceEntry[];
  count: number;
  skipped: SkippedEntry[];
  /** What the server itself answers. */
  server: { routes: RouteEntry[]; events: EventEntry[] };
}
