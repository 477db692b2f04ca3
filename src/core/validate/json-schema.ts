/** Validates values against the plain JSON Schemas of tools, which the checks for TypeBox schemas do not accept. */
import { ReefError } from "../errors.js";
import { faultsOf } from "./schema-faults.js";

type Compiled = ReturnType<typeof import("typebox/compile").Compile>;

const compiled = new WeakMap<object, Compiled>();

/** Validates a value. Rejects with a `BAD_REQUEST` whose message begins with `what` and names each invalid field. */
export async function assertFits(schema: object, value: unknown, what: string): Promise<void> {
  let check = compiled.get(schema);
  if (!check) {
    // Slow to load, and not needed before the first call.
    const { Compile } = await import("typebox/compile");
    check = Compile(schema as never);
    compiled.set(schema, check);
  }
  if (check.Check(value)) return;
  const faults = faultsOf(check.Errors(value)).map(({ path, message }) => {
    const field = path.slice(1).replaceAll("/", ".");
    return field ? `${field} ${message}` : message;
  });
  throw new ReefError("BAD_REQUEST", `${what}: ${[...new Set(faults)].join("; ")}`);
}
