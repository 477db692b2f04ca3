/** The whole documentation as one OpenAPI 3.1 document. */
import type { Docs, MethodEntry, RouteEntry } from "../model.js";
import { Components } from "./embed.js";
import { ERROR_RESPONSES, ERROR_SCHEMA } from "./errors.js";
import { Paths } from "./paths.js";

/** The name under which the server's own routes stand. */
const SERVER_TAG = "server";

/** Makes the document. `version` becomes `info.version`. */
export function openApiDocument(docs: Docs, version: string): object {
  const components = new Components();
  components.schemas.Error = ERROR_SCHEMA;
  const paths = new Paths(components);
  for (const route of docs.server.routes) paths.add(route, SERVER_TAG);
  for (const service of docs.services) {
    for (const route of service.routes) paths.add(route, service.name);
    for (const method of service.methods) paths.add(methodRoute(method), service.name);
  }
  const events = [
    ...docs.server.events.map((event) => ({ service: SERVER_TAG, ...event })),
    ...docs.services.flatMap(({ name, events }) => events.map((event) => ({ service: name, ...event }))),
  ].map((event) => ({
    ...event,
    ...(event.schema && { schema: components.embed(event.schema, event.name) }),
  }));
  const tools = docs.services.flatMap(({ name: service, tools }) =>
    tools.map((tool) => ({ service, ...tool, parameters: components.embed(tool.parameters, tool.name) })),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "Reef",
      version,
      description: "The routes of all services that are loaded on this server.",
    },
    servers: [{ url: "/", description: "This server" }],
    tags: [
      { name: SERVER_TAG, description: "Routes of the server itself." },
      ...docs.services.map(({ name, description }) => ({ name, ...(description && { description }) })),
    ],
    security: [{ bearer: [] }],
    paths: paths.items,
    components: {
      schemas: components.schemas,
      responses: ERROR_RESPONSES,
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "`VERS_AUTH_TOKEN`, or the token that the server generated at its first start.",
        },
      },
    },
    "x-events": events,
    "x-tools": tools,
  };
}

/** A broker method as the HTTP call that reaches it. */
function methodRoute(method: MethodEntry): RouteEntry {
  const { provider, service, name, description, inputSchema, outputSchema = {}, path } = method;
  return {
    id: `POST${path}`,
    method: "POST",
    path,
    route: path,
    auth: true,
    summary: `Call ${service}.${name} of ${provider}`,
    ...(description && { detail: description }),
    schemas: { body: inputSchema },
    responses: {
      200: {
        description: "The method's result.",
        schema: { type: "object", required: ["result"], properties: { result: outputSchema } },
      },
    },
  };
}
