import { expect, test } from "bun:test";
import { parseEvents, readEvents } from "./server-sent-events.js";

test("comments carry nothing, ids may stand alone, data may have several lines", () => {
  expect(parseEvents(":\n\nid: 4\n:\n\nevent: reset\ndata: a\ndata:b\n\nretry: 2000\n\n")).toEqual([
    { id: "4", event: "", data: "" },
    { id: undefined, event: "reset", data: "a\nb" },
  ]);
});

test("events come whole from a stream that is cut anywhere, and the rest of an unfinished one does not", async () => {
  const bytes = new TextEncoder().encode("id: 1\r\ndata: ä\r\n\r\ndata: 2\n\ndata: half");
  for (let size = 1; size < 9; size++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
        controller.close();
      },
    });
    const data: string[] = [];
    for await (const event of readEvents(body)) data.push(event.data);
    expect(data).toEqual(["ä", "2"]);
  }
});
