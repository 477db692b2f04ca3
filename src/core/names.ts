/** Which names a service and its folder may have. */
import { LoadFailure } from "./load-failure.js";

const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Paths that belong to the server itself, now or by agreement. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "health",
  "auth",
  "mcp",
  "metrics",
  "extension.js",
  "extension",
  "api",
  "login",
  "logout",
  "static",
  "assets",
  "favicon.ico",
  "robots.txt",
]);

/** Whether `name` can be a path segment, a folder and a file name everywhere. */
export function isSafeName(name: unknown): name is string {
  return typeof name === "string" && SAFE_NAME.test(name) && !name.includes("..");
}

/** Whether a folder directly below the services folder may be called so. From that of packages everybody imports. */
export function isFolderName(name: unknown): name is string {
  return isSafeName(name) && name.toLowerCase() !== "node_modules";
}

function shown(name: unknown): string {
  const text = JSON.stringify(name) ?? String(name);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

/** Throws a `LoadFailure` unless `dirName` names a folder directly below the services folder. */
export function assertFolderName(dirName: unknown): asserts dirName is string {
  if (isFolderName(dirName)) return;
  const why = isSafeName(dirName)
    ? "it is reserved for packages."
    : 'use at most 64 letters, digits, "-", "_" and ".", starting with a letter or digit.';
  throw new LoadFailure("BAD_FOLDER", "find", `${shown(dirName)} is not a valid service folder name: ${why}`);
}

/** Throws a `LoadFailure` unless `name` may be a service's name. */
export function assertServiceName(name: unknown): asserts name is string {
  if (!isSafeName(name)) {
    throw new LoadFailure(
      "BAD_NAME",
      "check",
      `name is ${shown(name)}; it must consist of at most 64 letters, digits, "-", "_" and ".", starting with a letter or digit.`,
    );
  }
  if (RESERVED_NAMES.has(name.toLowerCase())) {
    throw new LoadFailure(
      "RESERVED_NAME",
      "check",
      `name "${name}" is reserved for the server; choose another.`,
    );
  }
}
