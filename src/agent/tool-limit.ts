/** How long a tool may take that the server runs, in milliseconds. */
export const TOOL_LIMIT_MS = 120_000;

/** How long an agent waits for such a tool: what the server says at the end of its time arrives before. */
export const TOOL_PATIENCE_MS = TOOL_LIMIT_MS + 10_000;
