/** Whether each word of a search is somewhere in a text, in capitals or not. */
export function hasWords(text: string, search: string): boolean {
  const there = text.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => there.includes(word));
}
