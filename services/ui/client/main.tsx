/** @jsxImportSource preact */
/** Starts the dashboard in the browser. */
import "./shell.js";
import { render } from "preact";
import { strings as t } from "../strings.js";
import { startFocus } from "./focus.js";
import { startShortcuts } from "./keys.js";
import { knowFiles } from "./page-code.js";
import { App } from "./parts/app.js";
import { startRouter } from "./router.js";
import { learnLastEvent } from "./state/last-event.js";
import { startLive } from "./state/live.js";
import { followServices } from "./state/services.js";

const root = document.getElementById("app");
if (!root) throw new Error(t.shell.noScript);
knowFiles(root.dataset.pages);
root.replaceChildren();
render(<App />, root);
startRouter();
startFocus();
startShortcuts();
followServices();
learnLastEvent();
void startLive();
