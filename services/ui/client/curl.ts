/** The command line that does what a button does. */

/** A word as a POSIX shell reads it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./?&-]+$/.test(word) && !/[&?]/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `curl` for a call below `origin`, with the token taken from the environment; `file` is where a reply is saved. */
export function curlOf(origin: string, method: string, path: string, body?: unknown, file?: string): string {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(quote(origin + path), "-H", '"Authorization: Bearer $VERS_AUTH_TOKEN"');
  if (body !== undefined) {
    parts.push("-H", quote("Content-Type: application/json"), "-d", quote(JSON.stringify(body)));
  }
  if (file !== undefined) parts.push("-o", quote(file));
  return parts.join(" ");
}
