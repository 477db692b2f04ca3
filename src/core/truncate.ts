/** Text of any length, as much of it as its readers can bear. */

/** `text` in at maxLength `maxLength` characters; what was cut says so, and how many there were. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const note = `… (${text.length} characters)`;
  return text.slice(0, maxLength - note.length) + note;
}
