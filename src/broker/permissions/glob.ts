/** Glob patterns for paths, matched segment by segment. */

/** One segment of a pattern: `**`, or a test for a name. */
type Segment = { any: true } | { any: false; test: (name: string) => boolean };

/**
 * A path pattern. `**` matches any number of folders; `*` and `?` match within a name. Dot-files are not
 * special.
 */
export interface PathPattern {
  readonly source: string;
  readonly segments: readonly Segment[];
}

const WILDCARD = /[*?]/;

function segmentOf(text: string): Segment {
  if (text === "**") return { any: true };
  if (!WILDCARD.test(text)) return { any: false, test: (name) => name === text };
  return { any: false, test: (name) => matchesName(text, name) };
}

/** Whether a name matches a pattern with `*` and `?`. Takes at most pattern × name steps. */
function matchesName(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let index = 0;
  while (index < name.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at++;
      resume = index;
    } else if (wanted === name[index] || wanted === "?") {
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

/** The segments of a path. */
function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

const compiled = new Map<string, PathPattern>();
const CACHE_LIMIT = 5_000;

/**
 * Compiles an absolute pattern, with a cache.
 *
 * @example
 * matchesPath(pathPattern("/srv/data/**"), "/srv/data/a/b.txt"); // true
 */
export function pathPattern(source: string): PathPattern {
  const known = compiled.get(source);
  if (known) return known;
  if (compiled.size >= CACHE_LIMIT) compiled.clear();
  const pattern = { source, segments: splitPath(source).map(segmentOf) };
  compiled.set(source, pattern);
  return pattern;
}

/** The path before the first wildcard. */
export function literalPrefix(source: string): string {
  const parts = splitPath(source);
  const first = parts.findIndex((part) => WILDCARD.test(part));
  return `/${(first < 0 ? parts : parts.slice(0, first)).join("/")}`;
}

/**
 * The set of states after matching a path prefix: indexes into the pattern's segments. Empty when nothing below
 * can match.
 */
export type Positions = ReadonlySet<number>;

/** Adds the states reachable through `**` matching no segment. */
function close({ segments }: PathPattern, positions: Set<number>): Positions {
  for (const position of positions) if (segments[position]?.any) positions.add(position + 1);
  return positions;
}

/** The states after one more segment. */
export function readOn(pattern: PathPattern, positions: Positions, name: string): Positions {
  const next = new Set<number>();
  for (const position of positions) {
    const segment = pattern.segments[position];
    if (segment === undefined) continue;
    if (segment.any) next.add(position);
    else if (segment.test(name)) next.add(position + 1);
  }
  return close(pattern, next);
}

/** The states after a whole path. */
export function readTo(pattern: PathPattern, path: string): Positions {
  let positions = close(pattern, new Set([0]));
  for (const name of splitPath(path)) {
    if (positions.size === 0) break;
    positions = readOn(pattern, positions, name);
  }
  return positions;
}

/**
 * Whether the pattern matches the path that led to these states. `/a/**` matches `/a` itself and everything
 * below.
 */
export function namesThis(pattern: PathPattern, positions: Positions): boolean {
  return positions.has(pattern.segments.length);
}

/** Whether the pattern could match something below this path. */
export function mayNameBelow(pattern: PathPattern, positions: Positions): boolean {
  for (const position of positions) if (position < pattern.segments.length) return true;
  return false;
}

/** Whether the pattern matches this path and everything that could ever be below it. */
export function namesAllBelow(pattern: PathPattern, positions: Positions): boolean {
  const last = pattern.segments.length - 1;
  return pattern.segments[last]?.any === true && positions.has(last);
}

/** Whether the pattern matches a path. */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  return namesThis(pattern, readTo(pattern, path));
}
