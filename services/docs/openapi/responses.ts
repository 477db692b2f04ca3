/** The replies of one route as OpenAPI wants them. */
import { STATUS_CODES } from "node:http";
import type { JsonSchema, ResponseDoc } from "../../../src/core/types.js";
import type { Inputs } from "../inputs.js";
import type { RouteEntry } from "../model.js";
import type { Components } from "./embed.js";
import { errorResponse } from "./errors.js";

const MEDIA_TYPE = /\b(?:text|application|image|audio|video|multipart)\/[\w.+-]+/i;
const STATUS = /\b[2-5]\d\d\b/g;

/** The status codes that prose such as `"201 { id } or 409"` names. */
function statusesIn(prose: string): string[] {
  return [...new Set(prose.match(STATUS) ?? [])].filter((status) => status in STATUS_CODES);
}

/** Documented replies first; then what the server answers for every route of this kind. */
export function responsesOf(route: RouteEntry, inputs: Inputs, components: Components, name: string) {
  const responses: Record<string, object> = {};
  for (const [status, doc] of Object.entries(route.responses ?? {})) {
    responses[status] = fromDoc(status, doc, components, `${name}_${status}`);
  }
  if (route.response) addProse(responses, route.response);
  if (!Object.keys(responses).some((status) => /^[123]/.test(status))) {
    responses["2XX"] = { description: "Success.", content: { "application/json": {} } };
  }
  for (const status of statusesIn(route.detail ?? "")) {
    if (status >= "400") responses[status] ??= standard(status);
  }
  const { path, query, body } = inputs;
  if (query.length > 0 || body) responses["400"] ??= errorResponse("BAD_REQUEST");
  if (route.auth) responses["401"] ??= errorResponse("UNAUTHORIZED");
  if (path.length > 0) responses["404"] ??= errorResponse("NOT_FOUND");
  if (body) responses["413"] ??= errorResponse("BODY_TOO_LARGE");
  responses["500"] ??= errorResponse("INTERNAL");
  return responses;
}

function fromDoc(status: string, doc: ResponseDoc, components: Components, name: string): object {
  const { description, schema, example, type } = doc;
  const known: JsonSchema | undefined =
    schema ?? (status >= "400" && !type ? { $ref: "#/components/schemas/Error" } : undefined);
  const media = {
    ...(known && { schema: "$ref" in known ? known : components.embed(known, name) }),
    ...(example !== undefined && { example }),
  };
  const empty =
    status === "204" || status === "304" || (known === undefined && example === undefined && !type);
  return {
    description: description || STATUS_CODES[status] || "A status defined by the service.",
    ...(!empty && { content: { [type ?? "application/json"]: media } }),
  };
}

/** The first success that the prose names gets the prose; other codes get their standard name. */
function addProse(responses: Record<string, object>, prose: string): void {
  const statuses = statusesIn(prose);
  const success = statuses.find((status) => status < "400");
  const documented = Object.keys(responses).some((status) => /^[123]/.test(status));
  if (success !== undefined || !documented) {
    const type = MEDIA_TYPE.exec(prose)?.[0].toLowerCase() ?? "application/json";
    responses[success ?? "2XX"] ??= {
      description: prose,
      ...(success !== "204" && { content: { [type]: {} } }),
    };
  }
  for (const status of statuses) responses[status] ??= standard(status);
}

/** A reply of which only the status is known. */
function standard(status: string): object {
  const schema = { $ref: "#/components/schemas/Error" };
  return {
    description: STATUS_CODES[status],
    ...(status >= "400" && { content: { "application/json": { schema } } }),
  };
}
