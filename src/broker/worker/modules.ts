/** Provides the runtime API as importable modules. */
import * as runtime from "../client.js";
import { BrokerError } from "../errors.js";
import { RUNTIME_SPECIFIERS } from "./specifiers.js";

/** Makes the runtime API importable under all its names, whatever is in `node_modules`. */
export function provideRuntimeModules(): void {
  const { clientOf: _, ...api } = runtime;
  const exports = { ...api, BrokerError };
  Bun.plugin({
    name: "reef-runtime",
    setup(build) {
      for (const specifier of RUNTIME_SPECIFIERS)
        build.module(specifier, () => ({ exports, loader: "object" }));
    },
  });
}
