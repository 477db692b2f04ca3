import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LISTED_PAGES, PAGE_NAMES, pageAt, partsOf } from "./page-names.js";

test.each<[path: string, page: ReturnType<typeof pageAt>]>([
  ["/ui", "overview"],
  ["/ui/", "overview"],
  ["/ui/overview", undefined],
  ["/ui/services", "services"],
  ["/ui/services/board", "services"],
  ["/ui/events", "events"],
  ["/ui/events/0190", "events"],
  ["/ui/broker", "broker"],
  ["/ui/broker/plugin", undefined],
  ["/ui/broker/plugin/service", undefined],
  ["/ui/broker/%40scope%2Fplugin/service/method", "broker"],
  ["/ui/tools", "tools"],
  ["/ui/agents", "agents"],
  ["/ui/installer", "installer"],
  ["/ui/panels", undefined],
  ["/ui/panels/", undefined],
  ["/ui/panels/board", "panels"],
  ["/ui/panel/board", undefined],
  ["/ui/servicesx", undefined],
  ["/ui/constructor", undefined],
  ["/uievil/services", undefined],
  ["/elsewhere/services", undefined],
])("%p leads to the page %p", (path, page) => {
  expect(pageAt(path)).toBe(page);
});

test("the parts of an address are decoded, and what cannot be is left as it is", () => {
  expect(partsOf("/ui/broker/%40scope%2Fplugin//a%zz/")).toEqual(["broker", "@scope/plugin", "a%zz"]);
});

test("each page has a file of its own", () => {
  const missing = PAGE_NAMES.filter(
    (name) => !existsSync(join(import.meta.dir, "client", "pages", `${name}.tsx`)),
  );
  expect(missing).toEqual([]);
});

test("each page in the list of pages has an address that leads there, and a key of its own", () => {
  expect(LISTED_PAGES.map(({ path }) => pageAt(path))).toEqual(LISTED_PAGES.map(({ name }) => name));
  expect(new Set(LISTED_PAGES.map(({ key }) => key)).size).toBe(LISTED_PAGES.length);
});
