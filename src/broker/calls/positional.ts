/** Maps positional arguments to the input of a method. */
import { isObject } from "../../core/objects.js";
import { BrokerError } from "../errors.js";
import type { JsonSchema } from "../schema.js";

/**
 * Converts positional arguments into a method's input: they become the properties of its schema in order. A
 * single plain object is the input itself, as is a single value for a schema without properties.
 *
 * @example
 * inputFromArguments({ properties: { a: {}, b: {} } }, [5, 3]); // { a: 5, b: 3 }
 */
export function inputFromArguments(schema: JsonSchema, args: readonly unknown[]): unknown {
  const declared = typeof schema === "object" ? schema.properties : undefined;
  const names = isObject(declared) ? Object.keys(declared) : [];
  if (args.length === 0) return names.length > 0 || expectsObject(schema) ? {} : undefined;
  if (args.length === 1 && (isObject(args[0]) || names.length === 0)) return args[0];
  if (args.length > names.length) {
    throw new BrokerError(
      "invalid_input",
      `got ${args.length} arguments, but the method takes ${names.length}${names.length > 0 ? ` (${names.join(", ")})` : ""}`,
    );
  }
  const given = args.map((value, index): [string, unknown] => [names[index] as string, value]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== null));
}

function expectsObject(schema: JsonSchema): boolean {
  return typeof schema === "object" && schema.type === "object";
}
