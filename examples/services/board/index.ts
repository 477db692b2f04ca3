import type { ServiceModule } from "../../../src/core/types.js";
import { registerBehaviors } from "./behaviors.js";
import { eventDocs, routeDocs } from "./docs.js";
import { Announcer } from "./events.js";
import { createRoutes } from "./routes.js";
import { BoardStore } from "./store.js";
import { registerTools } from "./tools.js";
import { widget } from "./widget.js";

/** A board of its own; `path` is its database, inside the data folder when relative. */
export function createBoard(path?: string): ServiceModule {
  const store = new BoardStore(path);
  const announce = new Announcer();
  return {
    name: "board",
    description: "Tasks that agents and people share, from idea to review",
    routes: createRoutes(store, announce),
    store,
    init(ctx) {
      store.open();
      announce.connect(ctx.events);
    },
    registerTools,
    registerBehaviors,
    widget,
    routeDocs,
    eventDocs,
  };
}

export default createBoard();
