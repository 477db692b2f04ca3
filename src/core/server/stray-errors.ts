/**
 * Errors that no code handles: unhandled rejections and throwing listeners. Most are attributed to the version
 * that caused them (see generation.ts); the rest would end the process.
 */

/**
 * Keeps the process running on such errors and passes them to `report`. For a process that belongs to the
 * server alone.
 */
export function containStrayErrors(report: (kind: string, error: unknown) => void): void {
  process.on("uncaughtException", (error) => report("uncaught exception", error));
  process.on("unhandledRejection", (reason) => report("unhandled rejection", reason));
}

/**
 * The folder below `servicesDir` whose code an error comes from, judging by its stack; undefined when none is
 * named.
 */
export function folderBlamed(error: unknown, servicesDir: string): string | undefined {
  const root = servicesDir.replace(/\/+$/, "");
  // A valid folder name, followed by a file in it.
  return new RegExp(`${RegExp.escape(root)}/([\\w.-]+)/`).exec(stackOf(error))?.[1];
}

/** Reads the stack of a thrown value, which may be anything. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : "";
  } catch {
    return "";
  }
}
