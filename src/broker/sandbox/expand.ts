/** Expands path patterns into rules for Landlock. */
import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { holds } from "../../core/code/code-files.js";
import { yieldToEventLoop } from "../../core/event-loop.js";
import { systemErrorCode } from "../../core/storage-error.js";
import {
  literalPrefix,
  mayNameBelow,
  namesAllBelow,
  namesThis,
  type PathPattern,
  type Positions,
  pathPattern,
  readOn,
  readTo,
} from "../permissions/glob.js";
import type { FileRule } from "./landlock.js";

/** A permission that expands to too many rules, or takes too long to expand. */
class TooManyRules extends Error {
  constructor(what: string) {
    super(`the permissions ${what}; name whole folders with "/**"`);
    this.name = "TooManyRules";
  }
}

/** A pattern and its states at some path. */
type Reading = readonly [pattern: PathPattern, positions: Positions];

/** A file or folder with the states of the patterns that may match there or below. */
interface Place {
  path: string;
  allow: readonly Reading[];
  deny: readonly Reading[];
}

interface Expansion {
  rights: number;
  rules: FileRule[];
  limit: number;
  /** The number of pattern states processed so far. */
  steps: number;
  /** The time of the last yield to the event loop. */
  since: number;
}

/** Steps allowed per rule: enough for many thousand files with dozens of patterns. */
const STEPS_PER_RULE = 1000;
/** The length of a time slice before yielding to the event loop, in milliseconds. */
const SLICE_MS = 5;

/**
 * Expands an allow list and a deny list into rules for Landlock, which supports neither patterns nor
 * exceptions: whole folders where nothing in them is denied, individual existing files elsewhere. Links are
 * never followed. Files created later in an expanded folder are not granted until the next start.
 */
export async function expandRules(
  allow: readonly string[],
  deny: readonly string[],
  rights: number,
  limit: number,
): Promise<FileRule[]> {
  const expansion: Expansion = { rights, rules: [], limit, steps: 0, since: performance.now() };
  const readAll = (patterns: readonly PathPattern[], path: string) =>
    patterns.map((pattern): Reading => [pattern, readTo(pattern, path)]);
  const allowed = allow.map(pathPattern);
  const denied = deny.map(pathPattern);
  for (const root of outermost(allow.map(literalPrefix))) {
    const kind = await kindOf(root);
    if (kind === null) continue;
    const place = { path: root, allow: readAll(allowed, root), deny: readAll(denied, root) };
    if (kind === "folder") await expandFolder(place, expansion);
    else grantFile(place, expansion);
  }
  return expansion.rules;
}

function outermost(roots: string[]): string[] {
  const sorted = [...new Set(roots)].sort();
  return sorted.filter((root) => !sorted.some((other) => other !== root && holds(other, root)));
}

async function kindOf(path: string): Promise<"file" | "folder" | null> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return null;
    return stats.isDirectory() ? "folder" : "file";
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemErrorCode(error))) return null;
    throw error;
  }
}

async function expandFolder({ path, allow, deny }: Place, expansion: Expansion): Promise<void> {
  if (deny.some((one) => namesAllBelow(...one))) return;
  const whole = allow.some((one) => namesAllBelow(...one));
  const excepted = deny.some((one) => namesThis(...one) || mayNameBelow(...one));
  if (whole && !excepted) {
    push(path, expansion);
    return;
  }
  if (!whole && !allow.some((one) => mayNameBelow(...one))) return;
  for (const entry of await list(path)) {
    const inner = {
      path: path === "/" ? `/${entry.name}` : `${path}/${entry.name}`,
      allow: enter(allow, entry.name, expansion),
      deny: enter(deny, entry.name, expansion),
    };
    if (entry.isDirectory()) await expandFolder(inner, expansion);
    else if (!entry.isSymbolicLink()) grantFile(inner, expansion);
    if (performance.now() - expansion.since < SLICE_MS) continue;
    await yieldToEventLoop();
    expansion.since = performance.now();
  }
}

/** Advances patterns by one name and drops those that can no longer match. */
function enter(readings: readonly Reading[], name: string, expansion: Expansion): Reading[] {
  const inner: Reading[] = [];
  expansion.steps++;
  for (const [pattern, positions] of readings) {
    expansion.steps += positions.size;
    const next = readOn(pattern, positions, name);
    if (next.size > 0) inner.push([pattern, next]);
  }
  if (expansion.steps > expansion.limit * STEPS_PER_RULE) throw new TooManyRules("take too long to expand");
  return inner;
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemErrorCode(error))) return [];
    throw error;
  }
}

function grantFile({ path, allow, deny }: Place, expansion: Expansion): void {
  if (deny.some((one) => namesThis(...one))) return;
  if (allow.some((one) => namesThis(...one))) push(path, expansion);
}

function push(path: string, expansion: Expansion): void {
  const { rules, rights, limit } = expansion;
  if (rules.length >= limit) throw new TooManyRules(`expand to more than ${limit} single files`);
  rules.push({ path, rights });
}
