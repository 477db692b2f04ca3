/** The words of the overview. */
export const overviewStrings = {
  title: "Overview",
  services: (loaded: number, all: number) => `${loaded} of ${all} services loaded`,
  attention: "Needs attention",
  allAttention: (count: number) => `All ${count} that need attention`,
  fine: "Everything that was found is loaded.",
  latest: "Latest events",
  panels: "Panels",
  noPanels: "A service with a GET /_panel route gets a place here. To make one:",
  allEvents: "All events",
};
