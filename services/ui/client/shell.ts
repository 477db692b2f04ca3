/** What every page begins with. Each page imports it, so that it is one file to load and each page another. */
import "./parts/app.js";
import "./parts/filter.js";
import "./parts/logs.js";
import "./parts/no-events.js";
import "./parts/state-badge.js";
