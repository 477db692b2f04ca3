/** Which files the bundler reads as code or data; others are of use to the server only. */
import { readFileSync } from "node:fs";
import { extname } from "node:path";

const ENDINGS = new Set(
  ".ts .tsx .mts .cts .js .jsx .mjs .cjs .json .jsonc .json5 .toml .yaml .yml .txt .md".split(" "),
);

/** What an import can say that a file is, whatever its ending. */
const TYPES = new Set(["text", "json", "jsonc", "json5", "toml", "yaml"]);

export function hasReadableEnding(path: string): boolean {
  return ENDINGS.has(extname(path));
}

/**
 * Whether `importer` imports `specifier` with an attribute that says how to read it. The bundler follows attributes,
 * but does not tell its plugins of them: so the text is read for them.
 */
export function saysHowToRead(specifier: string, importer: string): boolean {
  const attribute = new RegExp(
    `(["'\`])${RegExp.escape(specifier)}\\1\\s*(?:with|,\\s*\\{\\s*with\\s*:)\\s*\\{\\s*(["']?)type\\2\\s*:\\s*["'](\\w+)["']`,
  );
  const type = attribute.exec(readFileSync(importer, "utf8"))?.[3];
  return type !== undefined && TYPES.has(type);
}
