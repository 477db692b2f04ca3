/**
 * Whether `text` fits a pattern in which `*` stands for any text and, when `single` is
 * given, `?` for one character. Takes at most pattern × text steps, whatever they are.
 */
export function matchesWildcard(pattern: string, text: string, single = false): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let index = 0;
  while (index < text.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at++;
      resume = index;
    } else if (wanted === text[index] || (single && wanted === "?")) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
