/** Checks that can take long: where they do, it is the plugin's own time, and its callers' deadlines end it. */
import type { BrokerError } from "../errors.js";
import type { MethodSchemas, WireError } from "../protocol.js";
import {
  type CompiledSchema,
  compileSchema,
  type JsonSchema,
  misfitOfInput,
  misfitOfOutput,
} from "../schema.js";
import { toWire } from "./wire-error.js";

export class Checks {
  readonly #service: string;
  readonly #inputs = new Map<string, CompiledSchema>();
  readonly #outputs = new Map<string, CompiledSchema>();

  /** `service` is its key, the identifier of the plugin included. */
  constructor(service: string, schemas: Readonly<Record<string, MethodSchemas>>) {
    this.#service = service;
    const compile = (into: Map<string, CompiledSchema>, method: string, schema: JsonSchema | undefined) => {
      if (schema !== undefined) into.set(method, compileSchema(schema));
    };
    for (const [method, { input, output }] of Object.entries(schemas)) {
      compile(this.#inputs, method, input);
      compile(this.#outputs, method, output);
    }
  }

  /** Why an input does not fit, or null. */
  ofInput(method: string, input: unknown): WireError | null {
    const schema = this.#inputs.get(method);
    return schema ? toMisfit(misfitOfInput(schema, `${this.#service}/${method}`, input)) : null;
  }

  /** Why an answer does not fit as it would arrive, or null. Throws where it is no JSON. */
  ofOutput(method: string, answer: unknown): WireError | null {
    const schema = this.#outputs.get(method);
    if (!schema) return null;
    const [sent] = JSON.parse(JSON.stringify([answer])) as [unknown];
    return toMisfit(misfitOfOutput(schema, `${this.#service}/${method}`, sent));
  }
}

function toMisfit(error: BrokerError | null): WireError | null {
  return error && { ...toWire(error), misfit: error.code as WireError["misfit"] };
}
