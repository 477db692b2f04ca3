/** Takes secrets and file paths out of a text that strangers may read. */

const HIDDEN = "[hidden]";
const PATH = "[path]";

/** Names whose values are secret wherever they stand. */
const SECRET_NAME = /token|secret|passw|passphrase|api_?key|private_?key|access_?key|credential|cookie|dsn/i;

/** Whether what goes by this name is secret: a variable, a field. */
export function hasSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * A text may be megabytes of anything, so each rule is done in time by its length: where a rule can begin inside of
 * what it has already tried in vain, it is held to the beginning of a word, or fails after a few characters.
 */
const RULES: Array<[pattern: RegExp, replacement: string]> = [
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, HIDDEN],
  // user:password@ of a URL
  [/([a-z0-9+.-]:\/\/)[^\s/@]*@/gi, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, `$1 ${HIDDEN}`],
  // password=…, "apiKey": "…", token 'x', X_SECRET: …. `\2` is the word up to the first such name: a look-ahead is tried
  // once only.
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

/** Keys, hashes and signed tokens where letters and digits are mixed. */
const LONG_WORD = /\b[\w+/=-]{24,}(?:\.[\w+/=-]+)*/g;
const isMixed = (word: string) => /\d/.test(word) && /[a-z]/i.test(word);

/**
 * A copy of `text` without credentials and without paths of this machine. What is known to be secret (values of
 * environment variables with telling names, and `secrets`) goes wherever it stands; what only looks like a
 * credential or a path goes too. Meant for one-line messages.
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
