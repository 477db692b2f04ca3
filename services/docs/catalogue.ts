/** The documentation of everything that is loaded at this moment. */

import { messageOf } from "../../src/core/errors.js";
import { LOAD_FAILURES, type LoadFailureCode } from "../../src/core/load-failure.js";
import { redact } from "../../src/core/redact.js";
import type { FailureReport, ServiceInfo } from "../../src/core/registry-types.js";
import type {
  MethodDoc,
  ServiceContext,
  ServiceModule,
  ServiceOffers,
  ToolDoc,
} from "../../src/core/types.js";
import { serviceEntry } from "./entries.js";
import type { Docs, ServiceEntry, SkippedEntry, Trouble } from "./model.js";
import { plainJson } from "./schemas/plain.js";
import { server } from "./server-entry.js";

/** One state of the documentation with what is made from it. */
export interface Edition {
  docs: Docs;
  /** Changes when the documentation does. */
  version: string;
}

/** Keeps the latest edition until a service, a failure, a method or a tool has changed. */
export class Catalogue {
  readonly #ctx: ServiceContext;
  #key = "";
  #edition: Edition | undefined;

  constructor(ctx: ServiceContext) {
    this.#ctx = ctx;
  }

  /** The documentation as of now. */
  current(): Edition {
    const infos = this.#ctx.registry.list();
    const offers = this.#offers();
    const key = JSON.stringify([infos.map(stateOf), offers]);
    if (!this.#edition || key !== this.#key) {
      this.#edition = edition(this.#ctx.getModules(), infos, offers);
      this.#key = key;
    }
    return this.#edition;
  }

  /** What each service says it offers at the moment; one that cannot say costs only itself. */
  #offers(): Offered[] {
    const all: Offered[] = [];
    for (const module of this.#ctx.getModules()) {
      if (!module.offers) continue;
      try {
        all.push({ by: module.name, ...(plainJson(module.offers()) as ServiceOffers) });
      } catch (error) {
        this.#ctx.log.warn(`offers() of "${module.name}" threw: ${messageOf(error)}`);
      }
    }
    return all;
  }
}

type Offered = ServiceOffers & { by: string };

const stateOf = ({ name, state, generation, failure }: ServiceInfo) => [name, state, generation, failure?.at];

function edition(modules: ServiceModule[], infos: ServiceInfo[], offers: Offered[]): Edition {
  const loaded = infos.filter(({ state }) => state === "loaded");
  const failures = new Map(loaded.map(({ name, failure }) => [name, failure]));
  const services = modules.map((module): ServiceEntry => {
    const failure = failures.get(module.name);
    return {
      ...serviceEntry(module),
      methods: offers.flatMap(({ by, methods }) => (by === module.name ? list<MethodDoc>(methods) : [])),
      tools: offers.flatMap(({ by, tools }) =>
        list<ToolDoc>(tools).filter((tool) => ownerOf(tool, by, modules) === module.name),
      ),
      ...(failure && { failure: troubleOf(failure) }),
    };
  });
  const docs = { services, count: services.length, skipped: infos.flatMap(skipped), server };
  return { docs, version: Bun.hash(JSON.stringify(docs)).toString(36) };
}

/** Only what has a name can be listed. */
function list<T extends { name: string }>(given: unknown): T[] {
  return Array.isArray(given) ? given.filter((item) => typeof item?.name === "string") : [];
}

function ownerOf(tool: ToolDoc, by: string, modules: ServiceModule[]): string {
  return modules.some(({ name }) => name === tool.service) ? (tool.service as string) : by;
}

function skipped({ name, state, failure }: ServiceInfo): SkippedEntry[] {
  if (state === "disabled") {
    return [{ name, state, code: "DISABLED", reason: LOAD_FAILURES.DISABLED }];
  }
  return state === "failed" && failure ? [{ name, state, ...troubleOf(failure) }] : [];
}

/** Strangers read this: the message is the failing code's own and may hold anything. */
function troubleOf({ code, step, error, at }: FailureReport): Trouble {
  const help = LOAD_FAILURES[code as LoadFailureCode];
  return { code, step, reason: redact(error), ...(help && { help }), at };
}
