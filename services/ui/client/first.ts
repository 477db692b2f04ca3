/** Before the first paint: the colours that were chosen here last time. And a word when nothing else is coming. */
import { applyTheme, readTheme } from "./theme.js";

applyTheme(readTheme());
addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLScriptElement) document.documentElement.dataset.unloaded = "";
  },
  true,
);
