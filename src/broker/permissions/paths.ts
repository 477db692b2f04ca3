/** Paths in permissions: aliases and links. */
import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { systemErrorCode } from "../../core/storage-error.js";
import { literalPrefix } from "./glob.js";

/** Folders by alias. */
export type PathAliases = Readonly<Record<string, string>>;

/** The aliases for a plugin: its own folders and this user's standard ones. */
export function pathAliases(extension: string, support: string, home = homedir()): PathAliases {
  return {
    $EXTENSION: extension,
    $EXTENSION_SUPPORT: support,
    $HOME: home,
    $DESKTOP: join(home, "Desktop"),
    $DOCUMENT: join(home, "Documents"),
    $DOWNLOAD: join(home, "Downloads"),
    $PICTURE: join(home, "Pictures"),
    $VIDEO: join(home, "Videos"),
    $AUDIO: join(home, "Music"),
    $TEMP: tmpdir(),
  };
}

/** The real path of a file that may not exist: links are resolved in the part that exists. */
export function realPathAsFarAsPossible(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    const parent = dirname(path);
    if (parent === path || (code !== "ENOENT" && code !== "ENOTDIR")) throw error;
    return join(realPathAsFarAsPossible(parent), basename(path));
  }
}

/**
 * Like {@link realPathAsFarAsPossible}, but returns the path itself when it cannot be resolved, for instance
 * because of circular links.
 */
export function realPathOrName(path: string): string {
  try {
    return realPathAsFarAsPossible(path);
  } catch {
    // Opening the path reports the reason.
    return path;
  }
}

/** Expands a pattern's alias and resolves links in its part before the first wildcard. */
export function resolvePathPattern(pattern: string, aliases: PathAliases): string {
  if (pattern.includes("\0")) throw new Error("a path must not contain NUL");
  const unsupported = /[[\]{}]|!\(|\\/.exec(pattern);
  if (unsupported)
    throw new Error(`"${unsupported[0]}" is not supported in a pattern; use "*", "**" and "?"`);
  let absolute = pattern;
  if (pattern.startsWith("$")) {
    const alias = Object.keys(aliases)
      .sort((a, b) => b.length - a.length)
      .find((name) => pattern === name || pattern.startsWith(`${name}/`));
    if (alias === undefined) {
      throw new Error(`unknown alias in "${pattern}"; known: ${Object.keys(aliases).join(", ")}`);
    }
    absolute = `${aliases[alias]}${pattern.slice(alias.length)}`;
  }
  if (!absolute.startsWith("/")) throw new Error(`"${pattern}" is neither absolute nor starts with an alias`);
  const parts = absolute.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new Error(`"${pattern}" must not contain ".."`);
  absolute = `/${parts.join("/")}`;
  const prefix = literalPrefix(absolute);
  const rest = absolute.slice(prefix === "/" ? 0 : prefix.length);
  const real = realPathAsFarAsPossible(prefix);
  return real === "/" ? rest || "/" : `${real}${rest}`;
}
