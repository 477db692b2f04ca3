/** Registers services' tools with plain schemas and names that model providers accept. */
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
  /** Receives problems found after `registerTool` has returned. */
  report(error: unknown): void;
}

/** Registers the tools of all services under wire names. */
export class ToolRegistrar {
  /** By canonical name. */
  readonly #known = new Map<string, Registration>();
  readonly #taken = new Set<string>();
  /** Tools registered before `settle()`: name collisions are only known once all services have registered. */
  #waiting: Registration[] | undefined = [];

  /** @param given Preassigned wire names by canonical name. */
  constructor(private readonly given: Readonly<Record<string, string>> = {}) {}

  /**
   * Registers a tool. Throws when it is malformed or its name is taken. The first registration wins, unless the name
   * begins with the prefix of the later one's service and no tool was handed to the agent yet.
   */
  register(registration: Registration): void {
    const { service } = registration;
    const { name, execute } = Object(registration.tool) as ToolDefinition;
    if (typeof name !== "string" || name === "") throw new Error("a tool without a name was skipped");
    if (typeof execute !== "function")
      throw new Error(`tool "${name}" was skipped: execute is not a function`);
    // A malformed tool must not take a name.
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
    else this.#forward(registration, this.#wireNames());
  }

  /** Forwards all tools registered so far to pi; later ones are forwarded at once. */
  settle(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    const names = this.#wireNames();
    for (const registration of waiting) {
      try {
        this.#forward(registration, names);
      } catch (error) {
        registration.report(error);
      }
    }
  }

  #forward({ pi, tool, owner, report }: Registration, names: ReadonlyMap<string, string>): void {
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

  /** The wire names of all tools registered so far. */
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
