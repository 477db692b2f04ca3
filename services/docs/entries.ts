/** From a module to its entry in the documentation. What authors gave is checked here, once for everybody. */
import { readableMembers } from "../../src/core/objects.js";
import { type DocumentedRoute, documentedRoutes } from "../../src/core/route-docs.js";
import type { ParamDoc, ResponseDoc, RouteDocs, RouteExample, ServiceModule } from "../../src/core/types.js";
import type { EventEntry, RouteEntry, ServiceEntry } from "./model.js";
import { membersOf, plainJson, plainSchema, textOf } from "./schemas/plain.js";
import { fieldsOfSchema } from "./schemas/prose.js";

/** Everything about a service except its methods and tools. */
export function serviceEntry(module: ServiceModule): Omit<ServiceEntry, "methods" | "tools"> {
  const auth = module.requiresAuth !== false;
  return {
    name: module.name,
    description: module.description ?? "",
    auth,
    routes: routeEntries(documentedRoutes(module), auth),
    capabilities: {
      hasTools: module.registerTools !== undefined,
      hasBehaviors: module.registerBehaviors !== undefined,
      hasWidget: module.widget !== undefined,
      hasStore: module.store !== undefined,
    },
    dependencies: module.dependencies ?? [],
    events: eventEntries(module.eventDocs),
  };
}

export function routeEntries(routes: readonly DocumentedRoute[], auth: boolean): RouteEntry[] {
  const seen = new Map<string, number>();
  return routes.map(({ method, path, route, docs }) => {
    const base = `${method}${path}`;
    const times = (seen.get(base) ?? 0) + 1;
    seen.set(base, times);
    const clean = docs && cleanDocs(docs);
    return {
      ...clean,
      id: times === 1 ? base : `${base}~${times}`,
      method,
      path,
      route,
      auth: clean?.auth ?? auth,
    };
  });
}

export function eventEntries(docs: ServiceModule["eventDocs"]): EventEntry[] {
  return Object.entries(readableMembers(docs)).map(([name, given]) => {
    const { description, schema, example } = readableMembers(given);
    return compact({
      name,
      description: textOf(description) ?? "",
      schema: plainSchema(schema),
      example: plainJson(example),
    });
  });
}

/** The author's documentation as far as it has the right types, with fields read off schemas. */
function cleanDocs(docs: Partial<RouteDocs>): Partial<RouteDocs> {
  const given = readableMembers(docs.schemas);
  const schemas = compact({
    params: plainSchema(given.params),
    query: plainSchema(given.query),
    body: plainSchema(given.body),
  });
  return compact({
    summary: textOf(docs.summary),
    detail: textOf(docs.detail),
    params: fields(docs.params, schemas.params),
    query: fields(docs.query, schemas.query),
    body: fields(docs.body, schemas.body),
    response: textOf(docs.response),
    schemas: Object.keys(schemas).length > 0 ? schemas : undefined,
    responses: responses(docs.responses),
    examples: examples(docs.examples),
    bodyType: textOf(docs.bodyType),
    auth: typeof docs.auth === "boolean" ? docs.auth : undefined,
  });
}

function fields(prose: unknown, schema: unknown): Record<string, ParamDoc> | undefined {
  const known = fieldsOfSchema(schema);
  for (const [name, given] of Object.entries(readableMembers(prose))) {
    const { type, required, description } = readableMembers(given);
    const before = Object.hasOwn(known, name) ? known[name] : undefined;
    known[name] = {
      type: textOf(type) ?? before?.type ?? "any",
      required: before?.required ?? required === true,
      description: textOf(description) ?? before?.description ?? "",
    };
  }
  return Object.keys(known).length > 0 ? known : undefined;
}

function responses(given: unknown): Record<number, ResponseDoc> | undefined {
  const entries = Object.entries(readableMembers(given)).filter(([status]) => /^[1-5]\d\d$/.test(status));
  if (entries.length === 0) return undefined;
  return Object.fromEntries(
    entries.map(([status, response]) => {
      const { description, schema, example, type } = readableMembers(response);
      const doc = compact({
        description: textOf(description) ?? "",
        schema: plainSchema(schema),
        example: plainJson(example),
        type: textOf(type),
      });
      return [status, doc];
    }),
  );
}

function examples(given: unknown): RouteExample[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  return given.map((example) => {
    const { summary, params, query, body, headers, status } = membersOf(plainJson(example));
    return compact({
      summary: textOf(summary),
      params: params as RouteExample["params"],
      query: query as RouteExample["query"],
      body,
      headers: headers as RouteExample["headers"],
      status: typeof status === "number" ? status : undefined,
    });
  });
}

/** Without the members that are undefined. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
