/** Every word the dashboard shows. */
export const strings = {
  login: {
    title: "Log in to Reef",
    label: "Token",
    submit: "Log in",
    hint: "The token is VERS_AUTH_TOKEN, or the content of data/auth-token. For a link that works once:",
    command: 'curl -X POST -H "Authorization: Bearer $VERS_AUTH_TOKEN" http://localhost:3000/auth/magic-link',
    goOn: "Go on to the dashboard",
  },
  shell: {
    title: "Reef",
    noScript: "The dashboard needs JavaScript. Everything it shows is also there over HTTP.",
  },
} as const;
