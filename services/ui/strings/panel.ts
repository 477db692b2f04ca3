/** The words of panels. */
export const panelStrings = {
  loading: "Loading the panel…",
  away: "The panel loads when the server responds again.",
  slow: "The panel is not responding. The rest of the dashboard is not affected.",
  flooded: "The panel was closed: it sent too many messages. The rest of the dashboard is not affected.",
  greedy: "The panel was closed: it kept taking the keyboard focus.",
  error: (message: string) => `The panel reported an error: ${message}`,
  reload: "Reload panel",
  gone: (name: string) => `“${name}” has no panel`,
  goneHint: "The panel returns when the service is loaded. To load it:",
  title: (name: string) => `Panel of ${name}`,
  says: (name: string) => `panel ${name}`,
};
