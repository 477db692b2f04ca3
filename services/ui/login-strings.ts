/** Every word of the page to log in, which is made by the server alone: browsers need not load them. */
export const loginStrings = {
  title: "Log in to Reef",
  label: "Token",
  submit: "Log in",
  hint: "The token is VERS_AUTH_TOKEN, or the content of data/auth-token. To get a one-time login link:",
  command: (origin: string) =>
    `curl -X POST -H "Authorization: Bearer $VERS_AUTH_TOKEN" ${origin}/auth/magic-link`,
  goOn: "Continue to the dashboard",
  wrong: "Wrong token.",
  tooMany: "Too many failed logins from this address. Wait a minute, then try again.",
  deadLink: "This link has been used or has expired. Request a new one, or log in with the token.",
};
