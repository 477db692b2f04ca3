/** What a worker checks, and when. The code for it is loaded with the first value that needs it. */
import type { MethodSchemas, WireError } from "../protocol.js";
import { MAX_SIZE } from "../schema/cost.js";
import type { Checks } from "./checks.js";

export class Checking {
  readonly #service: string;
  readonly #schemas: Readonly<Record<string, MethodSchemas>>;
  readonly #source = Promise.withResolvers<string>();
  #checks: Promise<Checks> | undefined;

  /** `service` is its key, the identifier of the plugin included. */
  constructor(service: string, schemas: Readonly<Record<string, MethodSchemas>>) {
    this.#service = service;
    this.#schemas = schemas;
  }

  /** What is to be checked waits for the code. */
  take(source: string): void {
    this.#source.resolve(source);
  }

  /** Why an input does not fit, or null. */
  async ofInput(method: string, input: unknown): Promise<WireError | null> {
    return (await this.#load()).ofInput(method, input);
  }

  /** Whether an answer, given as JSON, is to be checked here: the server does not then. */
  isNeeded(method: string, answer: string): boolean {
    const { output = true, checksOutput = false } = this.#schemas[method] ?? {};
    return output !== true && (checksOutput || answer.length > MAX_SIZE);
  }

  /** Why an answer, given as JSON, does not fit, or null. */
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

/** A module that lies in no file. */
const asUrl = (source: string) => `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
