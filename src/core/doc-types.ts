/** What authors may say about their routes and events. Everything here is optional prose or schema. */
import type { Json } from "./types.js";

/** A JSON Schema (draft-07 or 2020-12). TypeBox schemas are such. */
export type JsonSchema = object;

/** The documentation of one parameter or body field. */
export interface ParamDoc {
  /** Its type in prose, e.g. `"string"`, `"string[]"`, `"open" | "done"`. */
  type: string;
  required?: boolean;
  description: string;
}

/** One possible reply of a route. */
export interface ResponseDoc {
  description: string;
  schema?: JsonSchema;
  /** A body as it is sent. */
  example?: Json;
  /** Its media type; default `application/json`. */
  type?: string;
}

/** A request worth copying. `{ body: { title: "Paint the boat" } }`. */
export interface RouteExample {
  summary?: string;
  /** Values of path parameters. */
  params?: Record<string, string>;
  query?: Record<string, string | number | boolean>;
  body?: Json;
  /** Further headers that the request needs. */
  headers?: Record<string, string>;
  /** The status it is answered with; default any documented 2xx. */
  status?: number;
}

/** The documentation of one route; the key in `routeDocs` is `"METHOD /path"` below the service's mount point. */
export interface RouteDocs {
  summary: string;
  /** More in plain text. Codes of errors in it count as documented, e.g. `"409 while others depend on it."` */
  detail?: string;
  /** Path parameters; a name that the path does not have is read as a query parameter. */
  params?: Record<string, ParamDoc>;
  query?: Record<string, ParamDoc>;
  body?: Record<string, ParamDoc>;
  /** What comes back, in prose. Status codes in it count as documented, e.g. `"Item object or 404"`. */
  response?: string;
  /** Object schemas of what is sent, instead of or beside the prose above; `body` may be any schema. */
  schemas?: { params?: JsonSchema; query?: JsonSchema; body?: JsonSchema };
  /** Replies by status code, e.g. `{ 201: { description: "The task", schema: Task } }`. */
  responses?: Record<number, ResponseDoc>;
  examples?: RouteExample[];
  /** Media type of the body; default `application/json`. */
  bodyType?: string;
  /** Whether this route wants a token, where it differs from the service's `requiresAuth`. */
  auth?: boolean;
}

/** The documentation of one event that a service emits. */
export interface EventDoc {
  description: string;
  /** Schema of the event's data. */
  schema?: JsonSchema;
  example?: Json;
}
