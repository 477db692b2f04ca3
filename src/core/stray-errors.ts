/**
 * Errors that reach nobody: a rejection that was not waited for, a listener that throws. Most stay with the version
 * that caused them (see generation.ts); what the platform reports to the whole process would end it.
 */
import { sep } from "node:path";

/** Keeps the process running when one comes, and tells `report`. For a process that is the server's alone. */
export function containStrayErrors(report: (kind: string, error: unknown) => void): void {
  process.on("uncaughtException", (error) => report("uncaught exception", error));
  process.on("unhandledRejection", (reason) => report("unhandled rejection", reason));
}

/** The folder below `servicesDir` whose code an error comes from, by its stack; undefined when it does not say. */
export function folderBlamed(error: unknown, servicesDir: string): string | undefined {
  const stack = stackOf(error);
  const root = servicesDir.endsWith(sep) ? servicesDir : servicesDir + sep;
  const at = stack.indexOf(root);
  if (at < 0) return undefined;
  const rest = stack.slice(at + root.length);
  const end = rest.indexOf(sep);
  return end > 0 ? rest.slice(0, end) : undefined;
}

/** Thrown values are the service's own, and may be anything. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : "";
  } catch {
    return "";
  }
}
