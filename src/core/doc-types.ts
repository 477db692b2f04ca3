/** Types with which authors document routes and events. Everything here is optional. */
import type { Json } from "./types.js";

/** A JSON Schema (draft-07 or 2020-12), such as a TypeBox schema. */
export type JsonSchema = object;

/** The documentation of one parameter or body field. */
export interface ParamDoc {
  /** Its type as text, e.g. `"string"`, `"string[]"`, `"open" | "done"`. */
  type: string;
  required?: boolean;
  description: string;
}

/** One possible reply of a route. */
export interface ResponseDoc {
  description: string;
  schema?: JsonSchema;
  /** An example body. */
  example?: Json;
  /** Its media type; default `application/json`. */
  type?: string;
}

/** An example request, e.g. `{ body: { title: "Paint the boat" } }`. */
export interface RouteExample {
  summary?: string;
  /** Values of path parameters. */
  params?: Record<string, string>;
  query?: Record<string, string | number | boolean>;
  body?: Json;
  /** Further headers that the request needs. */
  headers?: Record<string, string>;
  /** The expected status; default any documented 2xx. */
  status?: number;
}

/** The documentation of one route; the key in `routeDocs` is `"METHOD /path"` below the service's mount point. */
export interface RouteDocs {
  summary: string;
  /**
   * Further details as plain text. Status codes in it count as documented, e.g. `"409 while others depend on
   * it."`
   */
  detail?: string;
  /** Path parameters; a name that the path does not have is read as a query parameter. */
  params?: Record<string, ParamDoc>;
  query?: Record<string, ParamDoc>;
  body?: Record<string, ParamDoc>;
  /** The reply in prose. Status codes in it count as documented, e.g. `"Item object or 404"`. */
  response?: string;
  /** Object schemas of the input, instead of or in addition to the prose above; `body` may be any schema. */
  schemas?: { params?: JsonSchema; query?: JsonSchema; body?: JsonSchema };
  /** Replies by status code, e.g. `{ 201: { description: "The task", schema: Task } }`. */
  responses?: Record<number, ResponseDoc>;
  examples?: RouteExample[];
  /** Media type of the body; default `application/json`. */
  bodyType?: string;
  /** Whether this route requires a token, where that differs from the service's `requiresAuth`. */
  auth?: boolean;
}

/** The documentation of one event that a service emits. */
export interface EventDoc {
  description: string;
  /** Schema of the event's data. */
  schema?: JsonSchema;
  example?: Json;
}
