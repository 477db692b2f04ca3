/** What a model gives to a tool. */

/**
 * The parameters without empty texts: many models fill in every parameter, and mean to leave those out. What a
 * parameter holds is left as it is: an empty text in there may be data.
 */
export function given<T extends object>(params: T): Partial<T> {
  const set = Object.entries(params).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(set) as Partial<T>;
}
