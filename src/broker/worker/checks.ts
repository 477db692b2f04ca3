/**
 * Validations that may take long: in the worker they use the plugin's own time, limited by its callers'
 * deadlines.
 */
import type { BrokerError } from "../errors.js";
import type { MethodSchemas, WireError } from "../protocol.js";
import { type CompiledSchema, compileSchema, inputError, outputError } from "../schema.js";
import { toWire } from "./wire-error.js";

/** Validates with compiled schemas. */
export class Checks {
  readonly #service: string;
  readonly #schemas: Readonly<Record<string, MethodSchemas>>;
  readonly #compiled = new Map<string, CompiledSchema>();

  /** @param service The service's key, including the plugin's identifier. */
  constructor(service: string, schemas: Readonly<Record<string, MethodSchemas>>) {
    this.#service = service;
    this.#schemas = schemas;
  }

  /** Validates an input. Returns the error, or null. */
  ofInput(method: string, input: unknown): WireError | null {
    return toWireCheck(inputError(this.#schema(method, "input"), `${this.#service}/${method}`, input));
  }

  /** Validates a result. Returns the error, or null. */
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
