/** Every word of the page to log in, which is made by the server alone: browsers need not load them. */
export const loginStrings = {
  title: "Log in to Reef",
  label: "Token",
  submit: "Log in",
  hint: "The token is VERS_AUTH_TOKEN, or the content of data/auth-token. For a link that works once:",
  command: (origin: string) =>
    `curl -X POST -H "Authorization: Bearer $VERS_AUTH_TOKEN" ${origin}/auth/magic-link`,
  goOn: "Go on to the dashboard",
  wrong: "That is not this server's token.",
  tooMany: "Too many wrong tokens or links came from this address. Wait a minute before the next try.",
  deadLink: "This link has been used or has expired. Ask for a new one, or log in with the token.",
};
