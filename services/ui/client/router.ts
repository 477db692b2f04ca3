/** Which page is shown. The address is the only state: every view can be linked to. */
import { computed, signal } from "@preact/signals";

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
  history[replace ? "replaceState" : "pushState"](null, "", address);
  place.value = here();
  if (!samePage && !keepFocus) document.getElementById("content")?.focus({ preventScroll: true });
}

/** Makes links into the dashboard change the page without loading it anew. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest<HTMLAnchorElement>("a[href]");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== "/ui" && !link.pathname.startsWith("/ui/")) return;
    if (/^\/ui\/(api|login|assets|panel-api)\b/.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
