/** Handling of parameters that models pass to tools. */

/**
 * Removes parameters that are empty strings or undefined: many models fill in every parameter when they mean to
 * omit it. Nested values are unchanged; empty strings there may be data.
 *
 * @example
 * given({ title: "Paint the boat", assignee: "" }); // { title: "Paint the boat" }
 */
export function given<T extends object>(params: T): Partial<T> {
  const set = Object.entries(params).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(set) as Partial<T>;
}
