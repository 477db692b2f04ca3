/** Text of any length, as much of it as its readers can bear. */

/** `text` in at most `most` characters; what was cut says so, and how many there were. */
export function truncate(text: string, most: number): string {
  if (text.length <= most) return text;
  const note = `… (${text.length} characters)`;
  return text.slice(0, most - note.length) + note;
}
