/**
 * Errors that reach nobody: a rejection that was not waited for, a listener that throws. Most stay with the version
 * that caused them (see generation.ts); what the platform reports to the whole process would end it.
 */

/** Keeps the process running when one comes, and tells `report`. For a process that is the server's alone. */
export function containStrayErrors(report: (kind: string, error: unknown) => void): void {
  process.on("uncaughtException", (error) => report("uncaught exception", error));
  process.on("unhandledRejection", (reason) => report("unhandled rejection", reason));
}

/** The folder below `servicesDir` whose code an error comes from, by its stack; undefined when it does not say. */
export function folderBlamed(error: unknown, servicesDir: string): string | undefined {
  const root = servicesDir.replace(/\/+$/, "");
  // Of a folder's name as names are allowed, and then of a file in it.
  return new RegExp(`${RegExp.escape(root)}/([\\w.-]+)/`).exec(stackOf(error))?.[1];
}

/** Thrown values are the service's own, and may be anything. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : "";
  } catch {
    return "";
  }
}
