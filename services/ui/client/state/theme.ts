import { computed, effect, signal } from "@preact/signals";
import { applyTheme, keepTheme, readTheme, THEMES } from "../theme.js";

/** What was chosen. */
export const theme = signal(readTheme());

const system = matchMedia("(prefers-color-scheme: light)");
const systemIsLight = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  systemIsLight.value = matches;
});

/** What is shown. */
export const shownTheme = computed<"light" | "dark">(() => {
  if (theme.value !== "auto") return theme.value;
  return systemIsLight.value ? "light" : "dark";
});

effect(() => applyTheme(theme.value));

/** Goes on to the next choice. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  keepTheme(theme.value);
}
