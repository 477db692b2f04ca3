/** The token that an agent sends. */

/** What is wrong with a token that cannot be sent; it is not shown, as the engine's own error would. */
export function tokenProblem(token: string): string | undefined {
  return /[^\x21-\x7e]/.test(token) ? "VERS_AUTH_TOKEN contains an invalid character" : undefined;
}
