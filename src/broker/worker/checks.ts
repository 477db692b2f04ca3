/** Checks that can take long: where they do, it is the plugin's own time, and its callers' deadlines end it. */
import type { BrokerError } from "../errors.js";
import type { MethodSchemas, WireError } from "../protocol.js";
import { type CompiledSchema, compileSchema, inputError, outputError } from "../schema.js";
import { toWire } from "./wire-error.js";

export class Checks {
  readonly #service: string;
  readonly #schemas: Readonly<Record<string, MethodSchemas>>;
  readonly #compiled = new Map<string, CompiledSchema>();

  /** `service` is its key, the identifier of the plugin included. */
  constructor(service: string, schemas: Readonly<Record<string, MethodSchemas>>) {
    this.#service = service;
    this.#schemas = schemas;
  }

  /** Why an input does not fit, or null. */
  ofInput(method: string, input: unknown): WireError | null {
    return toWireCheck(inputError(this.#schema(method, "input"), `${this.#service}/${method}`, input));
  }

  /** Why an answer does not fit, or null. */
  ofOutput(method: string, answer: unknown): WireError | null {
    return toWireCheck(outputError(this.#schema(method, "output"), `${this.#service}/${method}`, answer));
  }

  #schema(method: string, which: "input" | "output"): CompiledSchema {
    const key = `${method}/${which}`;
    const schema = this.#compiled.get(key) ?? compileSchema(this.#schemas[method]?.[which] ?? true);
    this.#compiled.set(key, schema);
    return schema;
  }
}

function toWireCheck(error: BrokerError | null): WireError | null {
  return error && { ...toWire(error), failedCheck: error.code as WireError["failedCheck"] };
}
