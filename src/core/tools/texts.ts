/** Normalises the texts of tools. */
import { truncate } from "../truncate.js";

/** The maximum length of a text, in characters; models receive it with each request. */
const MAX_LENGTH = 10_000;

/** A tool's label and description, whatever the service supplied. */
export function textsOf(name: string, label: unknown, description: unknown) {
  return { label: textOf(label) ?? name, description: textOf(description) ?? "" };
}

/** Providers reject requests that contain lone surrogates. */
function textOf(given: unknown): string | undefined {
  return typeof given === "string" ? truncate(given, MAX_LENGTH).toWellFormed() : undefined;
}
