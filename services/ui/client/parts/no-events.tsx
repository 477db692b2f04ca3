/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import { Empty } from "./bits.js";

/** Says that nothing has been published, and how to. */
export const NoEvents = () => (
  <Empty
    text={t.common.noEvents}
    method="POST"
    path="/feed/events"
    body={{ type: "hello", source: "me", content: "The first event" }}
  />
);
