/** Which page of the dashboard an address leads to: the server sends its code along, the browser shows it. */

/** Each is a file in `client/pages/`. */
export const PAGE_NAMES = [
  "overview",
  "services",
  "events",
  "broker",
  "tools",
  "agents",
  "installer",
  "panels",
] as const;

export type PageName = (typeof PAGE_NAMES)[number];

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
  const [page, name, second, third] = partsOf(path);
  switch (page) {
    case undefined:
      return "overview";
    case "broker":
      // All methods, or one of them.
      return name === undefined || (second !== undefined && third !== undefined) ? page : undefined;
    case "panels":
      return name === undefined ? undefined : page;
    case "services":
    case "events":
    case "tools":
    case "agents":
    case "installer":
      return page;
  }
}
