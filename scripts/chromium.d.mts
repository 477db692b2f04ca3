/** The browser's program: `CHROMIUM_PATH` if that is set, else the first one found. */
export function findChromium(env?: Record<string, string | undefined>): string | undefined;
/**
 * Installs Debian's Chromium where this process may (Linux, root, apt-get) unless there is one or
 * `REEF_SKIP_CHROMIUM` is set. Never throws; returns whether there is one now.
 */
export function installChromium(): boolean;
