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

/** A permission that comes to more than a sandbox can be told, or that takes too long to spell out. */
export class TooManyRules extends Error {
  constructor(what: string) {
    super(`the permissions ${what}; name whole folders with "/**"`);
    this.name = "TooManyRules";
  }
}

/** A pattern, and how far it has been read. */
type Reading = readonly [pattern: PathPattern, positions: Positions];

/** A file or folder, with what the patterns that may still concern it have to say. */
interface Place {
  path: string;
  allow: readonly Reading[];
  deny: readonly Reading[];
}

interface Expansion {
  rights: number;
  rules: FileRule[];
  limit: number;
  /** Positions of patterns that were read on. */
  steps: number;
  /** When others last had their turn. */
  since: number;
}

/** Steps for each grant that may come of them: a tree of many thousand files, with some dozen patterns. */
const STEPS = 1000;
/** How long patterns are read before others get their turn, in milliseconds. */
const AT_ONCE_MS = 5;

/**
 * Spells out one allow list under the deny list as grants that Landlock knows, which has
 * neither patterns nor exceptions: whole folders where nothing in them is excepted,
 * single existing files elsewhere. Links are never followed. What comes into being later
 * in a folder that had to be spelled out is not granted until the next start.
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
    if (performance.now() - expansion.since < AT_ONCE_MS) continue;
    await yieldToEventLoop();
    expansion.since = performance.now();
  }
}

/** Reads the patterns on, and forgets those that name nothing there. */
function enter(readings: readonly Reading[], name: string, expansion: Expansion): Reading[] {
  const inner: Reading[] = [];
  expansion.steps++;
  for (const [pattern, positions] of readings) {
    expansion.steps += positions.size;
    const next = readOn(pattern, positions, name);
    if (next.size > 0) inner.push([pattern, next]);
  }
  if (expansion.steps > expansion.limit * STEPS) throw new TooManyRules("take too long to expand");
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
