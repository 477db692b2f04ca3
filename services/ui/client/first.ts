/** Before the first paint: the colours that were chosen here last time. */
import { applyTheme, readTheme } from "./theme.js";

applyTheme(readTheme());
