/** Validation of the token that an agent sends. */

/**
 * What is wrong with a token that cannot be sent in a header; undefined when nothing is. The message does not
 * contain the token, unlike the engine's own error.
 */
export function tokenProblem(token: string): string | undefined {
  return /[^\x21-\x7e]/.test(token) ? "VERS_AUTH_TOKEN contains an invalid character" : undefined;
}
