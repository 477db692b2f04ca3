/** Where the viewer is: deep links and keys. */

/** The element that the address names, opened if it can be. */
export function goToHash(): void {
  const id = decoded(location.hash.slice(1));
  const target = id ? document.getElementById(id) : null;
  if (!target) return;
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.querySelector("summary")?.focus({ preventScroll: true });
  } else target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "start" });
}

function decoded(hash: string): string {
  try {
    return decodeURIComponent(hash);
  } catch {
    // A stray percent sign: taken as it is.
    return hash;
  }
}

/** The address follows the route that was opened last, without a new entry in the history. */
export function openRoute(id: string): void {
  history.replaceState(null, "", `#${encodeURI(id)}`);
}

/** `/` goes to the search. Returns what undoes it. */
export function installShortcuts(): () => void {
  const onKey = (event: KeyboardEvent) => {
    const { target } = event;
    const typing = target instanceof HTMLElement && /^(input|textarea|select)$/i.test(target.tagName);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById("search")?.focus();
  };
  window.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", goToHash);
  return () => {
    window.removeEventListener("keydown", onKey);
    window.removeEventListener("hashchange", goToHash);
  };
}
