/**
 * Runs in every panel before the panel's own script: its address, the theme, word of its height and of what goes
 * wrong, and the helper `Reef`. The dashboard takes nothing of this on trust; a panel can send what it likes.
 */
import { confine } from "./confine.js";
import { createHelper } from "./helper.js";
import { createVoice } from "./voice.js";

interface Settings {
  name: string;
  api: string;
}

confine();

const settings = JSON.parse(document.currentScript?.dataset.settings ?? "{}") as Settings;
const tell = createVoice();

const ownFetch = window.fetch.bind(window);
/** As the platform's. The dashboard renews the panel when its address has expired. */
const fetchOrExpire = async (...args: Parameters<typeof ownFetch>): Promise<Response> => {
  const reply = await ownFetch(...args);
  if (reply.headers.get("x-reef-panel") === "expired") tell({ reef: "expired" });
  return reply;
};

// Properties, not declarations: a panel may declare the same names for itself.
Object.assign(window, {
  PANEL_API: settings.api,
  fetch: fetchOrExpire,
  Reef: createHelper({ ...settings, fetch: fetchOrExpire, tell, page: document }),
});

window.addEventListener("message", ({ source, data }) => {
  if (source !== parent || typeof data !== "object" || data === null) return;
  if (data.reef === "theme")
    document.documentElement.dataset.theme = data.theme === "light" ? "light" : "dark";
  if (data.reef === "ping") tell({ reef: "pong" });
});

window.addEventListener("error", ({ message }) => tell({ reef: "error", text: String(message) }));
window.addEventListener("unhandledrejection", ({ reason }) =>
  tell({ reef: "error", text: String(reason?.message ?? reason) }),
);

document.addEventListener("DOMContentLoaded", () => {
  const measure = () => tell({ reef: "height", height: document.documentElement.scrollHeight });
  const observer = new ResizeObserver(() => {
    // The document is never less high than the frame: what counts is its content.
    const { bottom } = document.body.getBoundingClientRect();
    tell({ reef: "height", height: Math.ceil(bottom + scrollY) });
  });
  observer.observe(document.body);
  measure();
  tell({ reef: "ready" });
});
