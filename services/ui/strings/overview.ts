/** The words of the overview. */
export const overviewStrings = {
  title: "Overview",
  services: (loaded: number, all: number) => `${loaded} of ${all} services loaded`,
  attention: "Needs attention",
  allAttention: (count: number) => `Show all ${count}`,
  fine: "All services are loaded.",
  latest: "Latest events",
  panels: "Panels",
  noPanels: "Services with a GET /_panel route appear here. To add one:",
  allEvents: "All events",
};
