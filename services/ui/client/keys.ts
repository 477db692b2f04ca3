/** Keyboard shortcuts that hold on every page. */
import { LISTED_PAGES } from "../page-names.js";
import { helpOpen } from "./parts/help.js";
import { paletteOpen } from "./parts/palette.js";
import { go } from "./router.js";
import { nextTheme } from "./state/theme.js";

/** The second key of a pair must come within this time. */
const PAIR_MS = 1500;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

let firstAt = Number.NEGATIVE_INFINITY;

function press(event: KeyboardEvent): boolean {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    paletteOpen.value = !paletteOpen.value;
    return true;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return false;
  if (document.querySelector("dialog[open]")) return false;
  const paired = event.timeStamp - firstAt < PAIR_MS;
  firstAt = Number.NEGATIVE_INFINITY;
  if (paired) {
    const page = LISTED_PAGES.find(({ key }) => key === event.key);
    if (page) go(page.path);
    return page !== undefined;
  }
  switch (event.key) {
    case "g":
      firstAt = event.timeStamp;
      return true;
    case "?":
      helpOpen.value = true;
      return true;
    case "t":
      nextTheme();
      return true;
    case "/": {
      const field = document.querySelector<HTMLElement>("#content input[type=search]");
      field?.focus();
      return field !== null;
    }
    default:
      return false;
  }
}

export function startShortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (press(event)) event.preventDefault();
  });
}
