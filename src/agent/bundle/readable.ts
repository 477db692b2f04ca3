/** Determines which files the bundler can read as code or data; others are server-only. */
import { readFileSync } from "node:fs";
import { extname } from "node:path";

const ENDINGS = new Set(
  ".ts .tsx .mts .cts .js .jsx .mjs .cjs .json .jsonc .json5 .toml .yaml .yml .txt .md".split(" "),
);

/** Import attribute types that the bundler supports. */
const TYPES = new Set(["text", "json", "jsonc", "json5", "toml", "yaml"]);

/** Whether a file has an extension that the bundler can read. */
export function hasReadableEnding(path: string): boolean {
  return ENDINGS.has(extname(path));
}

/**
 * Whether `importer` imports `specifier` with a `type` attribute. The bundler respects attributes but does not
 * pass them to plugins, so the source is searched for them.
 */
export function saysHowToRead(specifier: string, importer: string): boolean {
  const attribute = new RegExp(
    `(["'\`])${RegExp.escape(specifier)}\\1\\s*(?:with|,\\s*\\{\\s*with\\s*:)\\s*\\{\\s*(["']?)type\\2\\s*:\\s*["'](\\w+)["']`,
  );
  const type = attribute.exec(readFileSync(importer, "utf8"))?.[3];
  return type !== undefined && TYPES.has(type);
}
