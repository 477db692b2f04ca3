/** The words of the page of agents. */
export const agentsStrings = {
  title: "Agents",
  empty: "No agent has been seen. An agent is seen when it publishes that it started:",
  count: (count: number) => `${count} agent${count === 1 ? "" : "s"}`,
  agent: "Agent",
  role: "Role",
  doing: "Doing",
  seen: "Last seen",
  working: "working",
  finished: "finished",
  failed: "failed",
  events: "Its events",
  last: "Last word",
};
