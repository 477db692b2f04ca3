/** Which page is shown. The address is the only state: every view can be linked to. */
import { computed, signal } from "@preact/signals";
import { focusContent } from "./focus.js";
import { arrive, depart } from "./scroll.js";

const here = () => location.pathname + location.search;

/** Path and query of the address. */
export const place = signal(here());

/** The parts of the path below `/ui`, decoded: `["services", "board"]`. */
export const segments = computed(() =>
  new URL(place.value, location.origin).pathname
    .split("/")
    .slice(2)
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        // A malformed escape names nothing, and is shown as it is.
        return part;
      }
    }),
);

/** A value of the query. */
export const queryOf = (name: string): string =>
  new URL(place.value, location.origin).searchParams.get(name) ?? "";

/** The address of a page: `to("services", name)`. */
export const to = (...parts: string[]): string => ["/ui", ...parts.map(encodeURIComponent)].join("/");

interface GoOptions {
  /** Put the address in the place of the present one in the history. */
  replace?: boolean;
  /** Leave the focus where it is; otherwise it goes to a new page's content. */
  keepFocus?: boolean;
}

/** Goes to an address of the dashboard. */
export function go(address: string, { replace = false, keepFocus = replace }: GoOptions = {}): void {
  if (address === here()) return;
  const path = address.split("?")[0];
  const samePage = path === location.pathname;
  if (replace) history.replaceState(history.state, "", address);
  else history.pushState(depart(), "", address);
  place.value = here();
  if (samePage || keepFocus) return;
  focusContent();
  scrollTo(0, 0);
}

/** Makes links into the dashboard change the page without loading it anew. */
export function startRouter(): void {
  history.scrollRestoration = "manual";
  addEventListener("popstate", () => {
    const restore = arrive();
    place.value = here();
    restore();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest<HTMLAnchorElement>("a[href]");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== "/ui" && !link.pathname.startsWith("/ui/")) return;
    if (/^\/ui\/(api|login|assets|panel-api)\b/.test(link.pathname)) return;
    event.preventDefault();
    const address = link.pathname + link.search;
    if (link.hash !== "" && address === here()) return document.getElementById(link.hash.slice(1))?.focus();
    go(address);
  });
}
