/** Makes a service's tools look the same to every agent: plain schemas, names that providers accept. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../errors.js";
import { modelSchema } from "../tools/model-schema.js";
import { claimOn, distinctWireName, wireNames } from "../tools/names.js";
import { plainSchema } from "../tools/schema.js";
import type { Owner } from "./owner.js";
import { guarded } from "./tool-calls.js";
import { usable } from "./tool-fields.js";

interface Registration {
  pi: ExtensionAPI;
  service: string;
  tool: ToolDefinition;
  owner: Owner;
  /** Told what is wrong with the tool once its registration is over. */
  report(error: unknown): void;
}

/** The tools of an extension, by the names that models see. */
export class ToolRegistrar {
  /** By canonical name. */
  readonly #known = new Map<string, Registration>();
  readonly #taken = new Set<string>();
  /** Those that wait until all services have registered: whether two names coincide is known then. */
  #waiting: Registration[] | undefined = [];

  /** @param given Wire names that were chosen before, by canonical name. */
  constructor(private readonly given: Readonly<Record<string, string>> = {}) {}

  /**
   * Registers a tool. Throws when it is none, or its name is taken: the first one then stays, unless the name begins
   * with the other's service and no tool was handed over yet.
   */
  register(registration: Registration): void {
    const { service } = registration;
    const { name, execute } = Object(registration.tool) as ToolDefinition;
    if (typeof name !== "string" || name === "") throw new Error("a tool without a name was skipped");
    if (typeof execute !== "function")
      throw new Error(`tool "${name}" was skipped: execute is not a function`);
    // What is malformed takes no name.
    parametersOf(registration.tool);
    const holder = this.#known.get(name);
    if (holder) {
      const at = this.#waiting?.indexOf(holder) ?? -1;
      if (at < 0 || claimOn(name, service) <= claimOn(name, holder.service)) throw taken(name, holder);
      this.#waiting?.splice(at, 1);
      holder.report(taken(name, registration));
    }
    this.#known.set(name, registration);
    if (this.#waiting) this.#waiting.push(registration);
    else this.#hand(registration, this.#wireNames());
  }

  /** Hands over what was registered so far, and from now on each tool at once. */
  settle(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    const names = this.#wireNames();
    for (const registration of waiting) {
      try {
        this.#hand(registration, names);
      } catch (error) {
        registration.report(error);
      }
    }
  }

  #hand({ pi, tool, owner, report }: Registration, names: ReadonlyMap<string, string>): void {
    const { name } = tool;
    const wire = this.#wireNameOf(name, names);
    pi.registerTool({
      ...usable(tool, owner, report),
      name: wire,
      parameters: parametersOf(tool),
      execute: guarded(tool, owner),
    });
    this.#taken.add(wire);
  }

  /** Of all tools that are known by now. */
  #wireNames(): ReadonlyMap<string, string> {
    return wireNames([...Object.keys(this.given), ...this.#known.keys()]);
  }

  #wireNameOf(name: string, names: ReadonlyMap<string, string>): string {
    const own = Object.hasOwn(this.given, name) ? this.given[name] : names.get(name);
    return own === undefined || this.#taken.has(own) ? distinctWireName(name) : own;
  }
}

function taken(name: string, { service }: Registration): Error {
  return new Error(`tool "${name}" was skipped: the name is already used by "${service}"`);
}

function parametersOf({ name, parameters }: ToolDefinition): ToolDefinition["parameters"] {
  try {
    return modelSchema(plainSchema(parameters)) as ToolDefinition["parameters"];
  } catch (error) {
    throw new Error(`tool "${name}" was skipped: ${messageOf(error)}`);
  }
}
