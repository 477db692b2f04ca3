/** The words of the page of agents. */
export const agentsStrings = {
  title: "Agents",
  empty: "No agents yet. An agent appears here when it publishes a start event:",
  count: (count: number) => `${count} agent${count === 1 ? "" : "s"}`,
  agent: "Agent",
  role: "Role",
  doing: "Status",
  seen: "Last seen",
  working: "working",
  finished: "finished",
  failed: "failed",
  events: "View events",
  last: "Last message",
};
