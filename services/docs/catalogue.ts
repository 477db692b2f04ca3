/** The documentation of everything that is loaded at this moment. */

import { LOAD_FAILURES, type LoadFailureCode } from "../../src/core/load-failure.js";
import { redact } from "../../src/core/redact.js";
import type { FailureReport, ServiceInfo } from "../../src/core/registry-types.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { serviceEntry } from "./entries.js";
import type { Docs, ServiceEntry, SkippedEntry, Trouble } from "./model.js";
import { type Offers, offersOf } from "./offers.js";
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
    const offers = offersOf(this.#ctx);
    const key = JSON.stringify([infos.map(stateOf), [...offers.methods], [...offers.tools]]);
    if (!this.#edition || key !== this.#key) {
      this.#edition = edition(this.#ctx.getModules(), infos, offers);
      this.#key = key;
    }
    return this.#edition;
  }
}

const stateOf = ({ name, state, generation, failure }: ServiceInfo) => [name, state, generation, failure?.at];

function edition(modules: ServiceModule[], infos: ServiceInfo[], offers: Offers): Edition {
  const loaded = infos.filter(({ state }) => state === "loaded");
  const failures = new Map(loaded.map(({ name, failure }) => [name, failure]));
  const sorted = modules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const services = sorted.map((module): ServiceEntry => {
    const failure = failures.get(module.name);
    return {
      ...serviceEntry(module),
      methods: offers.methods.get(module.name) ?? [],
      tools: offers.tools.get(module.name) ?? [],
      ...(failure && { failure: troubleOf(failure) }),
    };
  });
  const docs = { services, count: services.length, skipped: infos.flatMap(skipped), server };
  return { docs, version: Bun.hash(JSON.stringify(docs)).toString(36) };
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
