/** Routes as OpenAPI paths. */
import type { RouteExample } from "../../../src/core/types.js";
import { type Inputs, inputsOf, type Parameter, wildcardName } from "../inputs.js";
import type { RouteEntry } from "../model.js";
import type { Components } from "./embed.js";
import { responsesOf } from "./responses.js";

const METHODS = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);
/** What a handler of every method is documented as. */
const ALL = ["get", "post", "put", "patch", "delete"];
const BODY_METHODS = new Set(["post", "put", "patch", "delete"]);

type PathItem = Record<string, object>;

/** Collects the operations of a document. */
export class Paths {
  readonly items: Record<string, PathItem> = {};
  readonly #components: Components;
  /** Path without parameter names → the path under which it was added first. */
  readonly #shapes = new Map<string, string>();
  readonly #operationIds = new Set<string>();

  constructor(components: Components) {
    this.#components = components;
  }

  /** Adds a route under its tag. Methods that OpenAPI does not know are left out. */
  add(route: RouteEntry, tag: string): void {
    const inputs = inputsOf(route);
    const method = route.method.toLowerCase();
    const methods = method === "all" ? ALL : METHODS.has(method) ? [method] : [];
    for (const template of templatesOf(route.path, inputs.path)) {
      const { path, names } = this.#place(template);
      for (const each of methods) {
        const item = this.#item(path);
        // A second route of one shape differs by its pattern only, which a path cannot tell.
        item[each] ??= this.#operation(route, tag, each, inputs, names);
      }
    }
  }

  #item(path: string): PathItem {
    const item = this.items[path] ?? {};
    this.items[path] = item;
    return item;
  }

  /** Paths that differ in the names of their parameters only are one path; the names of the first are used. */
  #place(template: string): { path: string; names: Map<string, string> } {
    const shape = template.replace(/\{[^}]*\}/g, "{}");
    const path = this.#shapes.get(shape) ?? template;
    this.#shapes.set(shape, path);
    const namesIn = (text: string) => [...text.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name as string);
    const theirs = namesIn(path);
    return { path, names: new Map(namesIn(template).map((name, at) => [name, theirs[at] as string])) };
  }

  #operation(
    route: RouteEntry,
    tag: string,
    method: string,
    inputs: Inputs,
    names: Map<string, string>,
  ): object {
    const operationId = this.#operationId(`${method}_${route.path.replace(/:/g, "by_")}`);
    const embed = (parameter: Parameter) =>
      this.#components.embed(parameter.schema, `${operationId}_${parameter.name}`);
    const [example] = route.examples ?? [];
    const parameters = [
      ...inputs.path
        .filter(({ name }) => names.has(name))
        .map((parameter) => ({
          name: names.get(parameter.name),
          in: "path",
          required: true,
          ...described(parameter),
          schema: embed(parameter),
          ...exampleOf(example?.params, parameter.name),
        })),
      ...inputs.query.map((parameter) => ({
        name: parameter.name,
        in: "query",
        required: parameter.required,
        ...described(parameter),
        schema: embed(parameter),
        ...exampleOf(example?.query, parameter.name),
      })),
    ];
    const body = BODY_METHODS.has(method) ? inputs.body : undefined;
    return {
      tags: [tag],
      operationId,
      ...(route.summary && { summary: route.summary }),
      ...(route.detail && { description: route.detail }),
      ...(parameters.length > 0 && { parameters }),
      ...(body && {
        requestBody: {
          required: needsBody(body.schema),
          content: {
            [body.type]: {
              schema: this.#components.embed(body.schema, `${operationId}_body`),
              ...bodyExamples(route.examples),
            },
          },
        },
      }),
      responses: responsesOf(route, inputs, this.#components, operationId),
      ...(!route.auth && { security: [] }),
    };
  }

  #operationId(wanted: string): string {
    const base = wanted.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
    let id = base;
    for (let number = 2; this.#operationIds.has(id); number++) id = `${base}_${number}`;
    this.#operationIds.add(id);
    return id;
  }
}

/** `/a/{id}` of `/a/:id`; a path with an optional parameter is two. */
function templatesOf(path: string, parameters: readonly Parameter[]): string[] {
  const optional = parameters.find(({ required }) => !required);
  if (optional) {
    const [before = "", after = ""] = path.split(`/:${optional.name}?`);
    const others = parameters.filter((parameter) => parameter !== optional);
    return [
      ...templatesOf(before + after || "/", others),
      ...templatesOf(`${before}/:${optional.name}${after}`, others),
    ];
  }
  let wildcards = 0;
  const named = path.replace(/\/:([^/?]+)\??/g, "/{$1}");
  return [named.replace(/\/\*/g, () => `/{${wildcardName(wildcards++)}}`)];
}

const described = ({ description, type, schema }: Parameter) => {
  // What the schema cannot say stays readable.
  const text =
    Object.keys(schema).length === 0 && type !== "any" ? `${description} (${type})`.trim() : description;
  return text ? { description: text } : {};
};

function exampleOf(values: RouteExample["query"], name: string): { example?: unknown } {
  return values && Object.hasOwn(values, name) ? { example: values[name] } : {};
}

function needsBody(schema: object): boolean {
  return "required" in schema && Array.isArray(schema.required) && schema.required.length > 0;
}

function bodyExamples(examples: readonly RouteExample[] = []): { examples?: object } {
  const entries = examples
    .filter(({ body }) => body !== undefined)
    .map(({ summary, body }, at) => [`example${at + 1}`, { ...(summary && { summary }), value: body }]);
  return entries.length > 0 ? { examples: Object.fromEntries(entries) } : {};
}
