/** Which page is shown. The address is the only state: every view can be linked to. */
import { computed, signal } from "@preact/signals";
import { pageAt, partsOf } from "../page-names.js";
import { focusContent } from "./focus.js";
import { type CodeError, hasCode, loadOthers, loadPage } from "./page-code.js";
import { arrive, comeBack, depart } from "./scroll.js";

const here = () => location.pathname + location.search;
export const pathOf = (address: string) => address.split("?")[0] ?? "";

/** Path and query of what is shown. The browser's address is ahead of it while code is loaded after going back. */
export const place = signal(here());

export const path = computed(() => pathOf(place.value));

/** The parts of the path below `/ui`, decoded: `["services", "board"]`. */
export const segments = computed(() => partsOf(path.value));

/** Where somebody is going whose page's code is not there yet. */
export const underway = signal<string | undefined>(undefined);

/** Where nobody could go, since the page's code could not be loaded. */
export const failure = signal<{ address: string; error: CodeError } | undefined>(undefined);

/** A value of the query. */
export const queryOf = (name: string): string =>
  new URL(place.value, location.origin).searchParams.get(name) ?? "";

/** The address of a page: `to("services", name)`. */
export const to = (...parts: string[]): string => ["/ui", ...parts.map(encodeURIComponent)].join("/");

/** Counts where somebody wanted to go: only the latest counts. */
let turn = 0;

/**
 * Calls `show` once the code is there of the page at an address: at once, as a rule. Until then, and when it cannot be
 * had, the page that is shown stays, with all that is typed into it.
 */
function whenLoaded(address: string, show: () => void, failed: () => void = () => undefined): void {
  const own = ++turn;
  const page = pageAt(pathOf(address));
  const arrived = () => {
    underway.value = undefined;
    show();
  };
  if (address !== place.peek()) failure.value = undefined;
  if (page === undefined || hasCode(page)) {
    arrived();
    return;
  }
  underway.value = address;
  loadPage(page).then(
    () => own === turn && arrived(),
    (error: CodeError) => {
      if (own !== turn) return;
      underway.value = undefined;
      failure.value = { address, error };
      failed();
    },
  );
}

/** Stays where one is, though one was going elsewhere. */
export function stay(): void {
  failure.value = undefined;
  loadFirst();
  if (here() !== place.peek()) comeBack();
}

interface GoOptions {
  /** Put the address in the place of the present one in the history. */
  replace?: boolean;
  /** Leave the focus where it is; otherwise it goes to a new page's content. */
  keepFocus?: boolean;
}

/** Goes to an address of the dashboard. */
export function go(address: string, { replace = false, keepFocus = replace }: GoOptions = {}): void {
  if (address === place.peek()) {
    stay();
    return;
  }
  const show = () => {
    const samePage = pathOf(address) === path.peek();
    if (replace) history.replaceState(history.state, "", address);
    else history.pushState(depart(), "", address);
    place.value = here();
    if (samePage || keepFocus) return;
    focusContent();
    scrollTo(0, 0);
  };
  // Who narrows down what is shown is still on the way to where one was going.
  if (replace && pageAt(pathOf(address)) === pageAt(path.peek())) show();
  else whenLoaded(address, show);
}

/** Puts values into the query of the page that is shown; empty ones leave it. */
export function narrow(values: Record<string, string>): void {
  const { pathname, searchParams } = new URL(place.peek(), location.origin);
  for (const [name, value] of Object.entries(values)) searchParams.set(name, value);
  const query = [...searchParams].filter(([, value]) => value !== "");
  const text = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  go(pathname + (text && `?${text}`), { replace: true });
}

/** Tries once more to go where nobody could. */
export function tryAgain(): void {
  const address = failure.peek()?.address;
  failure.value = undefined;
  if (address === place.peek()) loadFirst();
  else if (address !== undefined) go(address);
}

/** Loads the code of the page that the browser has opened, and then of the others. */
const loadFirst = () => whenLoaded(place.peek(), () => void loadOthers());

/** Makes links into the dashboard change the page without loading it anew. */
export function startRouter(): void {
  history.scrollRestoration = "manual";
  loadFirst();
  addEventListener("popstate", () => {
    const show = () => {
      const restore = arrive();
      place.value = here();
      restore();
    };
    whenLoaded(here(), show, comeBack);
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
