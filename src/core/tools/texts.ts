/** What models and people read of a tool. */
import { truncate } from "../truncate.js";

/** As much of a description as models are sent with each request, in characters. */
const MAX_LENGTH = 10_000;

/** The texts of a tool whose service may give anything for them. */
export function textsOf(name: string, label: unknown, description: unknown) {
  return { label: textOf(label) ?? name, description: textOf(description) ?? "" };
}

/** Providers refuse each request that has half a character in a tool. */
function textOf(given: unknown): string | undefined {
  return typeof given === "string" ? truncate(given, MAX_LENGTH).toWellFormed() : undefined;
}
