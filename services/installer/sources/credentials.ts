/** Takes out of a source, or an instance's address, what may be a password or a token, before it is shown. */

/** Part of a path, or a ref. */
const PART = "[^@:?#\\\\]*";
const HOST = "(?:[^@:/?#\\\\\\s]+|\\[[0-9a-f:.]+\\])";

/** What has an "@" and no secret before it. */
const PLAIN = [
  // user/repo@ref, host/user/repo@ref, /a/folder@1
  `(?!//)${PART}/${PART}@${PART}`,
  // git@host:path, git@host:path@ref
  `${HOST}@${HOST}:${PART}(?:@${PART})?`,
  `ssh://${HOST}@${HOST}(?::\\d+)?(?:/${PART}(?:@${PART})?)?`,
  // Where no path is, a token stands before the "@".
  `[a-z]+://${HOST}(?::\\d+)?/${PART}@${PART}`,
  `file:///${PART}@${PART}`,
].map((form) => new RegExp(`^${form}$`, "i"));

const SCHEME = /^\s*(?:https?:|[a-z][a-z0-9+.-]*:[/\\])[/\\]*/i;

/**
 * A secret stands before the last "@", since it may have one in it as well as "/" and ":", or after "?" or "#".
 *
 * @example
 * withoutCredentials("https://ada:pass@word@example.org/x"); // "https://…@example.org/x"
 */
export function withoutCredentials(text: string): string {
  const at = text.lastIndexOf("@");
  const isPlain = at < 0 || PLAIN.some((form) => form.test(text));
  const shown = isPlain ? text : `${SCHEME.exec(text)?.[0] ?? ""}…${text.slice(at)}`;
  return shown.replace(/([?#]).+$/s, "$1…");
}
