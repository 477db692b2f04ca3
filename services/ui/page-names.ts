/** Which page of the dashboard an address leads to: the server sends its code along, the browser shows it. */

/** The pages that everybody finds in the list of pages, in its order, with the key that goes there after `g`. */
const KEYS = {
  overview: "o",
  services: "s",
  events: "e",
  broker: "b",
  tools: "t",
  agents: "a",
  installer: "i",
};

type ListedPage = keyof typeof KEYS;

/** Each is a file in `client/pages/`. In the list of pages, those of panels stand under the names of their services. */
export type PageName = ListedPage | "panels";

export const LISTED_PAGES = (Object.keys(KEYS) as ListedPage[]).map((name) => ({
  name,
  path: name === "overview" ? "/ui" : `/ui/${name}`,
  key: KEYS[name],
}));

export const PAGE_NAMES: readonly PageName[] = [...LISTED_PAGES.map(({ name }) => name), "panels"];

/** The parts of a path below `/ui`, decoded: `["services", "board"]`. */
export const partsOf = (path: string): string[] =>
  path
    .split("/")
    .slice(2)
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        // A malformed escape names nothing, and is shown as it is.
        return part;
      }
    });

/** The page at a path, or undefined where there is none. */
export function pageAt(path: string): PageName | undefined {
  if (!/^\/ui(\/|$)/.test(path)) return undefined;
  const [first, name, second, third] = partsOf(path);
  const page = first === undefined ? "overview" : PAGE_NAMES.find((each) => each === first);
  switch (page) {
    case "overview":
      return first === undefined ? page : undefined;
    case "broker":
      // All methods, or one of them.
      return name === undefined || (second !== undefined && third !== undefined) ? page : undefined;
    case "panels":
      return name === undefined ? undefined : page;
    default:
      return page;
  }
}
