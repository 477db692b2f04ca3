/** Recognises test files. */

/** Matches the file names that `bun test` runs, in any case. */
export const TEST_FILE = /[._](?:test|spec)\.(?:[cm]?[jt]s|[jt]sx)$/i;
