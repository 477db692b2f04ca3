import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { systemErrorCode } from "../../core/storage-error.js";
import {
  literalPrefix,
  matchesAllBelow,
  matchesPath,
  mayMatchBelow,
  type PathPattern,
  pathPattern,
} from "../permissions/glob.js";
import type { FileRule } from "./landlock.js";

/** A permission that names more single files than a sandbox can be told. */
export class TooManyRules extends Error {
  constructor(limit: number) {
    super(`the permissions come to more than ${limit} single files; name whole folders with "/**"`);
    this.name = "TooManyRules";
  }
}

interface Expansion {
  allow: PathPattern[];
  deny: PathPattern[];
  rights: number;
  rules: FileRule[];
  visited: number;
  limit: number;
}

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
  const expansion: Expansion = {
    allow: allow.map(pathPattern),
    deny: deny.map(pathPattern),
    rights,
    rules: [],
    visited: 0,
    limit,
  };
  for (const root of outermost(allow.map(literalPrefix))) {
    const kind = await kindOf(root);
    if (kind === "folder") await expandFolder(root, expansion);
    else if (kind === "file") grantFile(root, expansion);
  }
  return expansion.rules;
}

function outermost(roots: string[]): string[] {
  const sorted = [...new Set(roots)].sort();
  return sorted.filter((root) => !sorted.some((other) => other !== root && isBelow(root, other)));
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === "/" ? "/" : `${folder}/`);
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

async function expandFolder(folder: string, expansion: Expansion): Promise<void> {
  const { allow, deny } = expansion;
  if (deny.some((pattern) => matchesAllBelow(pattern, folder))) return;
  const whole = allow.some((pattern) => matchesAllBelow(pattern, folder));
  const excepted = deny.some((pattern) => matchesPath(pattern, folder) || mayMatchBelow(pattern, folder));
  if (whole && !excepted) {
    push(folder, expansion);
    return;
  }
  if (!whole && !allow.some((pattern) => mayMatchBelow(pattern, folder))) return;
  for (const entry of await list(folder)) {
    if (++expansion.visited > expansion.limit * 10) throw new TooManyRules(expansion.limit);
    const path = folder === "/" ? `/${entry.name}` : `${folder}/${entry.name}`;
    if (entry.isDirectory()) await expandFolder(path, expansion);
    else if (!entry.isSymbolicLink()) grantFile(path, expansion);
  }
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemErrorCode(error))) return [];
    throw error;
  }
}

function grantFile(path: string, expansion: Expansion): void {
  if (expansion.deny.some((pattern) => matchesPath(pattern, path))) return;
  if (expansion.allow.some((pattern) => matchesPath(pattern, path))) push(path, expansion);
}

function push(path: string, expansion: Expansion): void {
  if (expansion.rules.length >= expansion.limit) throw new TooManyRules(expansion.limit);
  expansion.rules.push({ path, rights: expansion.rights });
}
