import { html, raw } from "hono/html";

const style = `
.panel-feed { padding: 8px; color: var(--text, #ccc); }
.panel-feed .feed-bar { display: flex; gap: 8px; align-items: center; margin-bottom: 8px; }
.panel-feed .feed-bar input { flex: 1; min-width: 0; padding: 6px 8px; color: inherit; font: inherit;
  background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a); border-radius: 4px; }
.panel-feed .feed-state { color: var(--text-dim, #888); }
.panel-feed ol { list-style: none; margin: 0; padding: 0; }
.panel-feed li { background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 8px 10px; margin: 4px 0; overflow-wrap: anywhere; }
.panel-feed li.feed-child { margin-left: 20px; }
.panel-feed .feed-meta { color: var(--text-dim, #888); display: flex; gap: 8px; flex-wrap: wrap; }
.panel-feed .feed-type { color: var(--accent, #6cf); }
.panel-feed .feed-content { white-space: pre-wrap; }
`;

const script = `
(function () {
  const root = document.getElementById("feed-root");
  const list = root.querySelector("ol");
  const state = root.querySelector(".feed-state");
  const filter = root.querySelector("input");
  const most = 200;
  const shown = new Map();
  let round = 0;
  let end = () => undefined;

  function part(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  // By their ids, since what is loaded and what comes meanwhile may arrive in any order.
  function show(event) {
    if (shown.has(event.id)) return;
    const item = part("li", shown.has(event.parentId) ? "feed-child" : "", "");
    const meta = part("div", "feed-meta", "");
    const at = new Date(event.time);
    const day = at.toDateString() === new Date().toDateString() ? "" : at.toLocaleDateString() + " ";
    const time = part("time", "", day + at.toLocaleTimeString());
    time.dateTime = event.time;
    meta.append(time, part("span", "feed-type", event.type), part("span", "", event.source));
    item.append(meta, part("div", "feed-content", event.content));
    item.id = "feed-" + event.id;
    shown.set(event.id, item);
    list.insertBefore(item, Array.from(list.children).find((other) => other.id < item.id) ?? null);
    if (shown.size <= most) return;
    shown.delete(list.lastChild.id.slice(5));
    list.lastChild.remove();
  }

  function live() {
    state.textContent = shown.size > 0 ? "live" : "no events yet";
  }

  async function load(own, query) {
    try {
      const data = await Reef.api("GET", "/feed/events?limit=50&q=" + encodeURIComponent(query));
      if (own !== round) return;
      data.events.reverse().forEach(show);
      if (query) state.textContent = data.count + " found";
      else live();
    } catch (error) {
      if (own !== round) return;
      state.textContent = "could not load (" + error.message + "), retrying";
      setTimeout(() => own === round && load(own, query), 2000);
    }
  }

  function start() {
    const own = ++round;
    const query = filter.value.trim();
    end();
    list.replaceChildren();
    shown.clear();
    if (query) return load(own, query);
    end = Reef.stream("/feed/stream", (event) => { show(event); live(); }, {
      // What came before the stream began is loaded then, so that nothing falls between the two.
      onState: (connected) => {
        if (connected) load(own, "");
        else state.textContent = "disconnected, reconnecting";
      },
      onReset: start,
    });
  }

  filter.addEventListener("change", start);
  start();
})();
`;

/** The fragment that the dashboard shows: the latest events, then whatever comes. */
export const panel = html`<style>${raw(style)}</style>
<div class="panel-feed" id="feed-root">
  <div class="feed-bar">
    <input type="search" placeholder="Search" aria-label="Search" maxlength="200">
    <span class="feed-state" role="status">loading</span>
  </div>
  <ol aria-label="Events"></ol>
</div>
<script>${raw(script)}</script>`;
