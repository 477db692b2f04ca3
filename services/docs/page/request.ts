/** From filled-in fields to a request, and to the curl line that sends the same. */
import type { RouteExample } from "../../../src/core/types.js";
import { type Inputs, inputsOf, wildcardName } from "../inputs.js";
import type { RouteEntry } from "../model.js";

/** What somebody has filled in. Empty query fields are left out. */
export interface Values {
  method: string;
  params: Record<string, string>;
  query: Record<string, string>;
  /** Text as it is sent, or a file. */
  body: string | File | undefined;
  /** Beside those for the body and the token. */
  headers?: Record<string, string>;
}

export interface BuiltRequest {
  method: string;
  /** Path and query, e.g. `/board/tasks?status=open`. */
  url: string;
  headers: Record<string, string>;
  body: string | File | undefined;
}

/** What a handler of every method can be tried with. */
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export const takesBody = (method: string) => method !== "GET" && method !== "HEAD";

/** The fields as an example fills them; without one, as the route's schema begins them. */
export function valuesOf(route: RouteEntry, example: RouteExample = {}): Values {
  const method = route.method === "ALL" ? "GET" : route.method;
  const { body } = inputsOf(route);
  const texts = (given: object = {}) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
  return {
    method,
    params: texts(example.params),
    query: texts(example.query),
    body: bodyText(example.body, body),
    ...(example.headers && { headers: texts(example.headers) }),
  };
}

function bodyText(example: unknown, body: Inputs["body"]): string | undefined {
  if (typeof example === "string" && body && body.type !== "application/json") return example;
  if (example !== undefined) return JSON.stringify(example, null, 2);
  if (body?.type !== "application/json") return body && "";
  const needed = Object.entries(body.fields).filter(([, { required }]) => required);
  return JSON.stringify(Object.fromEntries(needed.map(([name, { type }]) => [name, blank(type)])), null, 2);
}

/** A value to begin with. */
function blank(type: string): unknown {
  if (type.endsWith("[]")) return [];
  if (type === "number" || type === "integer") return 0;
  if (type === "boolean") return false;
  if (type === "object") return {};
  const [, first] = /^"([^"]*)"/.exec(type) ?? [];
  return first ?? "";
}

export function buildRequest(route: RouteEntry, values: Values): BuiltRequest {
  const { method, params, query, body } = values;
  const { body: expected } = inputsOf(route);
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== "") search.append(name, value);
  const hasBody = takesBody(method) && body !== undefined && body !== "";
  return {
    method,
    url: fillPath(route.path, params) + (search.size > 0 ? `?${search}` : ""),
    headers: {
      ...(hasBody && { "Content-Type": expected?.type ?? "application/json" }),
      ...values.headers,
    },
    body: hasBody ? body : undefined,
  };
}

function fillPath(path: string, params: Record<string, string>): string {
  let wildcards = 0;
  const value = (name: string) => (Object.hasOwn(params, name) ? (params[name] as string) : "");
  const filled = path
    .replace(/\/:([^/?]+)(\?)?/g, (_all, name: string, optional: string | undefined) =>
      optional && value(name) === "" ? "" : `/${encodeURIComponent(value(name))}`,
    )
    .replace(/\/\*(?=(\/)?)/g, (_all, more: string | undefined) => {
      const text = value(wildcardName(wildcards++));
      // Only the last one may be several segments.
      const segments = more ? [text] : text.split("/");
      return `/${segments.map(encodeURIComponent).join("/")}`;
    });
  return filled || "/";
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A line for a shell. The token is not in it: it names the variable that holds it. */
export function curlOf(request: BuiltRequest, origin: string, auth: boolean, streams = false): string {
  const parts = [`curl${streams ? " -N" : ""}${request.method === "GET" ? "" : ` -X ${request.method}`} `];
  parts[0] += quote(origin + request.url);
  if (auth) parts.push('-H "Authorization: Bearer $VERS_AUTH_TOKEN"');
  for (const [name, value] of Object.entries(request.headers)) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  const { body } = request;
  if (typeof body === "string") parts.push(`--data-raw ${quote(body)}`);
  else if (body) parts.push(`--data-binary ${quote(`@${body.name}`)}`);
  return parts.join(" \\\n  ");
}
