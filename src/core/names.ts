/** Valid names of services and folders. */
import { LoadFailure } from "./load-failure.js";

const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Names reserved for the server, in use or for the future. */
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

/** Whether `name` is safe as a path segment, folder name and file name on all systems. */
export function isSafeName(name: unknown): name is string {
  return typeof name === "string" && SAFE_NAME.test(name) && !name.includes("..");
}

/** Whether `name` may be a service folder's. `node_modules` may not: packages are resolved from there. */
export function isFolderName(name: unknown): name is string {
  return isSafeName(name) && name.toLowerCase() !== "node_modules";
}

function shown(name: unknown): string {
  const text = JSON.stringify(name) ?? String(name);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

/**
 * Throws unless `dirName` is a valid service folder name.
 *
 * @throws LoadFailure `BAD_FOLDER`.
 */
export function assertFolderName(dirName: unknown): asserts dirName is string {
  if (isFolderName(dirName)) return;
  const why = isSafeName(dirName)
    ? "it is reserved for packages."
    : 'use at most 64 letters, digits, "-", "_" and ".", starting with a letter or digit.';
  throw new LoadFailure("BAD_FOLDER", "find", `${shown(dirName)} is not a valid service folder name: ${why}`);
}

/**
 * Throws unless `name` is a valid service name.
 *
 * @throws LoadFailure `BAD_NAME` or `RESERVED_NAME`.
 */
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
