import { api } from "../api.js";
import { type FeedEvent, feedHere, lastEventAt } from "./live.js";

/** Learns how old the latest event is that came before this page, as soon as there is a feed. */
export function learnLastEvent(): void {
  feedHere.subscribe((here) => {
    if (!here || lastEventAt.peek()) return;
    api<{ events: FeedEvent[] }>("GET", "/feed/events?limit=1").then(
      ({ events: [latest] }) => {
        if (!lastEventAt.peek()) lastEventAt.value = latest ? Date.parse(latest.time) : 0;
      },
      (error) => console.debug("could not load the latest event:", error),
    );
  });
}
