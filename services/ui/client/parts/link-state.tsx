/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import { sessionOver } from "../api.js";
import { duration } from "../format.js";
import { now } from "../state/clock.js";
import { feedHere, lastEventAt, link, lostAt } from "../state/live.js";

function lastEvent(): string {
  if (feedHere.value === false) return t.link.noFeed;
  if (lastEventAt.value === undefined) return "";
  return lastEventAt.value === 0 ? t.link.noEvent : t.link.lastEvent(duration(now.value - lastEventAt.value));
}

/** Whether the page is up to date, and how old the latest event is. */
export function LinkState() {
  const away = duration(now.value - lostAt.value);
  const event = lastEvent();
  const text = { connecting: t.link.connecting, live: t.link.live, lost: t.link.lost(away) }[link.value];
  return (
    <span class={`link ${link.value}`}>
      <span class="dot" aria-hidden="true" />
      <span>{text}</span>
      {link.value === "live" && event && <span class="dim wide">· {event}</span>}
    </span>
  );
}

/** Says across the page that what it shows is old, and that this will change by itself. */
export function Stale() {
  const trying = link.value === "lost" && !sessionOver.value;
  return (
    <div role="status">
      {trying && <p class="stale">{t.link.stale(duration(now.value - lostAt.value))}</p>}
    </div>
  );
}
