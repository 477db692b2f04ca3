/** Writes docs/ERRORS.md from the catalogues in src/core: `bun scripts/error-docs.ts`. */
import { join } from "node:path";
import { ERRORS } from "../src/core/errors.js";
import { LOAD_FAILURES } from "../src/core/load-failure.js";

/** Where the page is kept. */
export const ERROR_DOCS = join(import.meta.dir, "..", "docs", "ERRORS.md");

/** A table whose columns are as wide as their widest cell, as the formatter wants it. */
function table(...rows: string[][]): string {
  const cells = rows.map((row) => row.map((text) => text.replaceAll("|", "\\|")));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map((row) => `| ${row.map((text, n) => text.padEnd(widths[n] ?? 0)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** The page, as the catalogues are now. */
export function errorDocs(): string {
  const replies = Object.entries(ERRORS).map(([code, { status, message, help }]) => [
    `\`${code}\``,
    String(status),
    message,
    help,
  ]);
  const failures = Object.entries(LOAD_FAILURES).map(([code, help]) => [`\`${code}\``, help]);
  return `# Errors

<!-- Written by scripts/error-docs.ts; change the catalogues in src/core/errors.ts and src/core/load-failure.ts. -->

## Replies

Reef answers its own errors as JSON, \`{ "error": "…" }\`, with one of the statuses below. The message may be more specific than the one listed: it then says what is wrong with this request.

- Errors that a service returns pass unchanged. An error that a handler throws becomes a 500.
- Bun itself refuses malformed requests (no \`Host\`, a line or headers that are too long, another HTTP version) with 400, 431 or 505 and an empty body. On an unknown method it closes the connection.

${table(["Code", "Status", "Message", "What to do"], ...replies)}

## Services that cannot be loaded

\`GET /health\`, \`GET /services\` and one line of the log name each folder that cannot be served, or whose change failed, with one of these codes. A disabled service (\`DISABLED\`) is in \`GET /services\` only. Everything else keeps running; after a failed change, so does the previous version.

${table(["Code", "What to do"], ...failures)}
`;
}

if (import.meta.main) await Bun.write(ERROR_DOCS, errorDocs());
