/** What a worker checks, and when. The code for it is loaded with the first value that needs it. */
import type { WireError, WorkerSetup } from "../protocol.js";
import { MAX_SIZE } from "../schema-cost.js";
import type { Checks } from "./checks.js";

export class Checking {
  readonly #service: string;
  readonly #given: NonNullable<WorkerSetup["checks"]>;
  #checks: Promise<Checks> | undefined;

  constructor(service: string, given: NonNullable<WorkerSetup["checks"]>) {
    this.#service = service;
    this.#given = given;
  }

  /** Why an input does not fit, or null. */
  async ofInput(method: string, input: unknown): Promise<WireError | null> {
    return (await this.#load()).ofInput(method, input);
  }

  /** Whether an answer, given as JSON, is to be checked here: the server does not then. */
  isNeeded(method: string, answer: string): boolean {
    const { output = true, checksOutput = false } = this.#given.schemas[method] ?? {};
    return output !== true && (checksOutput || answer.length > MAX_SIZE);
  }

  /** Why an answer, given as JSON, does not fit, or null. */
  async ofOutput(method: string, answer: string): Promise<WireError | null> {
    return (await this.#load()).ofOutput(method, JSON.parse(answer));
  }

  #load(): Promise<Checks> {
    this.#checks ??= import(asUrl(this.#given.source)).then(
      (loaded: typeof import("./checks.js")) => new loaded.Checks(this.#service, this.#given.schemas),
    );
    return this.#checks;
  }
}

/** A module that lies in no file. */
const asUrl = (source: string) => `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
