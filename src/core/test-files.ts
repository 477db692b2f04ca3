/** Which files are tests. */

/** The names that `bun test` takes for those of tests when it looks for them, in whatever case. */
export const TEST_FILE = /[._](?:test|spec)\.(?:[cm]?[jt]s|[jt]sx)$/i;
