/** The module names of the runtime API. */

/** The names under which plugins import the runtime API. */
export const RUNTIME_SPECIFIERS = [
  "reef/broker",
  "reef/broker/runtime",
  "@kunkunsh/api",
  "@kunkunsh/api/runtime",
] as const;
