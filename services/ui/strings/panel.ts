/** The words of panels. */
export const panelStrings = {
  loading: "The panel is loading…",
  away: "The panel comes when the server answers again.",
  slow: "The panel does not answer. The rest of the dashboard is not affected.",
  flooded: "The panel sent so many messages that it was closed. The rest of the dashboard is not affected.",
  greedy: "The panel took the keyboard again and again, and was closed.",
  error: (message: string) => `The panel reported an error: ${message}`,
  reload: "Load it anew",
  gone: (name: string) => `“${name}” has no panel at the moment`,
  goneHint: "It comes back with the service. Load it:",
  title: (name: string) => `Panel of ${name}`,
  says: (name: string) => `panel ${name}`,
};
