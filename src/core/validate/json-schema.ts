/** Checks values against plain JSON Schemas, which TypeBox's own checks do not take: those of tools. */
import { ReefError } from "../errors.js";
import { faultsOf } from "./schema-faults.js";

type Compiled = ReturnType<typeof import("typebox/compile").Compile>;

const compiled = new WeakMap<object, Compiled>();

/** Rejects with a `BAD_REQUEST` that begins with `what` and names every field at fault. */
export async function assertFits(schema: object, value: unknown, what: string): Promise<void> {
  let check = compiled.get(schema);
  if (!check) {
    // Not needed before the first call, and slow to load.
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
