/** The viewer's token in this tab's session storage, if they want it kept; nowhere else. */
const KEY = "reef-docs-token";

export function keptToken(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    // Storage is switched off in this browser.
    return "";
  }
}

/** Keeps a token; the empty one forgets. */
export function keepToken(token: string): void {
  try {
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
  } catch (error) {
    console.warn("the token cannot be saved:", error);
  }
}
