/** Whether somebody sees a page. Browsers keep few connections to a host: what nobody sees lets go of its own. */

/** Tells whether it is seen, and when that changes. */
export type Seen = Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;

/** What nobody sees lets go of its connections after this time. */
const HIDDEN_MS = 60_000;

/** Resolves when somebody sees it. */
export const whenSeen = (page: Seen): Promise<void> =>
  new Promise((resolve) => {
    if (page.hidden) page.addEventListener("visibilitychange", () => resolve(), { once: true });
    else resolve();
  });

/** Calls `leave` when nobody has seen it for long. Returns the function that ends that. */
export function whenLongUnseen(page: Seen, leave: () => void, long = HIDDEN_MS): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (page.hidden) timer = setTimeout(leave, long);
  };
  page.addEventListener("visibilitychange", look);
  return () => {
    clearTimeout(timer);
    page.removeEventListener("visibilitychange", look);
  };
}
