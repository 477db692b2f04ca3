/** Truncates texts. */

/**
 * Truncates `text` to `maxLength` characters, with a note of the original length.
 *
 * @example
 * truncate("a".repeat(100), 30); // "aaaaaaaaaaaa… (100 characters)"
 */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const note = `… (${text.length} characters)`;
  return text.slice(0, maxLength - note.length) + note;
}
