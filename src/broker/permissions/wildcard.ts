/** Wildcard matching of plain strings. */

/**
 * Whether `text` matches a pattern in which `*` matches any text.
 *
 * @example
 * matchesWildcard("task_*", "task_created"); // true
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  const end = text.length - last.length;
  if (first.length > end || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    // Greedy: the earliest match leaves the most text for the remaining parts.
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}
