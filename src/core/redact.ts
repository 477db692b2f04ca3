/** Removes secrets and file paths from texts that strangers may read. */

const HIDDEN = "[hidden]";
const PATH = "[path]";

/** Names whose values count as secrets. */
const SECRET_NAME = /token|secret|passw|passphrase|api_?key|private_?key|access_?key|credential|cookie|dsn/i;

/** Whether a variable or field with this name counts as secret. */
export function hasSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * The rules. Texts may be megabytes of anything, so each must run in linear time: where a match could be
 * attempted inside of text that has already been tried, it is anchored to a word boundary or fails after a few
 * characters.
 */
const RULES: Array<[pattern: RegExp, replacement: string]> = [
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, HIDDEN],
  // user:password@ of a URL
  [/([a-z0-9+.-]:\/\/)[^\s/@]*@/gi, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, `$1 ${HIDDEN}`],
  // password=…, "apiKey": "…", token 'x', X_SECRET: …. `\2` is the word up to the first such name; a look-ahead
  // is not backtracked into.
  [
    /(?<![\w-])((?=([\w-]*?(?:token|secret|passw(?:or)?d|passphrase|pwd|api[_-]?key|private[_-]?key|access[_-]?key|credentials?)))\2[\w-]*["'`]?\s*(?:[:=]|\bis\b)\s*)("[^"]*"|'[^']*'|`[^`]*`|[^\s,;)\]}]+)/gi,
    `$1${HIDDEN}`,
  ],
  [
    /(\b(?:token|secret|password|passphrase|api key|key)\s+)("[^"]*"|'[^']*'|`[^`]*`|(?=\S*\d)[^\s,;.]+)/gi,
    `$1${HIDDEN}`,
  ],
  [/\bfile:\/\/[^\s"'`)]+/gi, PATH],
  // C:\…, \\host\share
  [/(?:\b[a-z]:[\\/]|\\\\)[^\s"'`:*?<>|]+/gi, PATH],
  // /an/absolute/path and ~/one, not the path of a URL and not a route such as /board
  [/(?<![\w:/.~-])(?:~|\.{1,2})?(?:\/[\w.@%+~-]+){2,}\/?(?::\d+(?::\d+)?)?/g, PATH],
];

/** Keys, hashes and signed tokens that mix letters and digits. */
const LONG_WORD = /\b[\w+/=-]{24,}(?:\.[\w+/=-]+)*/g;
const isMixed = (word: string) => /\d/.test(word) && /[a-z]/i.test(word);

/**
 * Returns `text` without credentials and local paths. Known secrets (`secrets`, and environment variables with
 * telling names) are removed wherever they occur; text that only looks like a credential or path is removed
 * too. Meant for one-line messages.
 *
 * @example
 * redact("cannot open /srv/reef/data/db: password=hunter2"); // "cannot open [path]: password=[hidden]"
 */
export function redact(
  text: string,
  secrets: readonly string[] = [],
  env: Record<string, string | undefined> = process.env,
): string {
  let clean = text;
  const known = [...secrets];
  for (const [name, value] of Object.entries(env)) if (value && hasSecretName(name)) known.push(value);
  known.sort((a, b) => b.length - a.length);
  for (const secret of known) if (secret.length >= 4) clean = clean.replaceAll(secret, HIDDEN);
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement);
  return clean.replace(LONG_WORD, (word) => (isMixed(word) ? HIDDEN : word));
}
