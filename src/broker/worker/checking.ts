/** Decides what a worker validates. The validation code is loaded with the first value that needs it. */
import type { MethodSchemas, WireError } from "../protocol.js";
import { MAX_SIZE } from "../schema/cost.js";
import type { Checks } from "./checks.js";

/** Validates values in a worker. */
export class Checking {
  readonly #service: string;
  readonly #schemas: Readonly<Record<string, MethodSchemas>>;
  readonly #source = Promise.withResolvers<string>();
  #checks: Promise<Checks> | undefined;

  /** @param service The service's key, including the plugin's identifier. */
  constructor(service: string, schemas: Readonly<Record<string, MethodSchemas>>) {
    this.#service = service;
    this.#schemas = schemas;
  }

  /** Supplies the validation code; validations wait for it. */
  take(source: string): void {
    this.#source.resolve(source);
  }

  /** Validates an input. Resolves with the error, or null. */
  async ofInput(method: string, input: unknown): Promise<WireError | null> {
    return (await this.#load()).ofInput(method, input);
  }

  /** Whether a result, given as JSON, must be validated here, because the server will not. */
  isNeeded(method: string, answer: string): boolean {
    const { output = true, checksOutput = false } = this.#schemas[method] ?? {};
    return output !== true && (checksOutput || answer.length > MAX_SIZE);
  }

  /** Validates a result given as JSON. Resolves with the error, or null. */
  async ofOutput(method: string, answer: string): Promise<WireError | null> {
    return (await this.#load()).ofOutput(method, JSON.parse(answer));
  }

  #load(): Promise<Checks> {
    this.#checks ??= this.#source.promise
      .then((source): Promise<typeof import("./checks.js")> => import(asUrl(source)))
      .then((loaded) => new loaded.Checks(this.#service, this.#schemas));
    return this.#checks;
  }
}

/** The data URL of a module. */
const asUrl = (source: string) => `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
