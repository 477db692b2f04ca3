/** How far down each page was, for going back to it. */

/** By the number of the history's entry. */
const positions = new Map<number, number>();

const entry = (): number => (history.state as { entry?: number } | null)?.entry ?? 0;
let at = entry();
/** Ends what still brings a page where it was. */
let stop: () => void = () => undefined;

/** Notes where the page is that is left for a new one; returns the state of the new entry. */
export function depart(): { entry: number } {
  stop();
  positions.set(at, scrollY);
  return { entry: ++at };
}

/** Notes where the page was that was left by going back or forth; returns what brings the other one where it was. */
export function arrive(): () => void {
  positions.set(at, scrollY);
  at = entry();
  const wanted = positions.get(at) ?? 0;
  return () => reach(wanted);
}

/** Goes to the entry again that was left, when what was gone to by going back or forth cannot be shown. */
export function comeBack(): void {
  history.go(at - entry());
}

/** Scrolls there as soon as the page is high enough, unless the user does something before. */
function reach(wanted: number): void {
  stop();
  const ended = new AbortController();
  const observer = new ResizeObserver(() => {
    scrollTo(0, wanted);
    if (Math.abs(scrollY - wanted) < 1) stop();
  });
  stop = () => {
    ended.abort();
    observer.disconnect();
  };
  for (const type of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    addEventListener(type, () => stop(), { signal: ended.signal, capture: true, passive: true });
  }
  observer.observe(document.body);
}
