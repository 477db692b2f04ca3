/** Dark, light, or as the system says. The choice is kept in this browser. */
export const THEMES = ["auto", "light", "dark"];

const KEY = "reef-theme";

export function readTheme(): string {
  try {
    const kept = localStorage.getItem(KEY) ?? "";
    return THEMES.includes(kept) ? kept : "auto";
  } catch {
    // Storage is switched off in this browser.
    return "auto";
  }
}

export function setTheme(theme: string): void {
  applyTheme(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch (error) {
    console.warn("the theme cannot be saved:", error);
  }
}

export function applyTheme(theme: string): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
