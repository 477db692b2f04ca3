/** Where the keyboard is. A panel's frame has it when the user went there; a frame that takes it gives it back. */

/** The element of the dashboard that had the focus last. */
let last: HTMLElement | undefined;
/** Where the pointer went since the latest key. */
let over: EventTarget | null = null;
/** The Tab key was pressed, and the focus has not arrived anywhere in the dashboard. */
let tabbing = false;
let touching = false;
let actedAt = Number.NEGATIVE_INFINITY;

/** For so long browsers say of an action that the user is acting. */
const ACTIVE_MS = 5000;

const takesText = (element: HTMLElement | undefined) => element?.matches("input, textarea, select") === true;

export function startFocus(): void {
  const listen = <E extends Event>(type: string, listener: (event: E) => void) =>
    addEventListener(type, listener as (event: Event) => void, true);
  listen<FocusEvent>("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || target instanceof HTMLIFrameElement) return;
    last = target;
    tabbing = false;
  });
  listen<KeyboardEvent>("keydown", ({ key, timeStamp }) => {
    tabbing = key === "Tab";
    touching = false;
    over = null;
    actedAt = timeStamp;
  });
  listen<PointerEvent>("pointerdown", ({ pointerType, timeStamp }) => {
    tabbing = false;
    touching = pointerType === "touch";
    actedAt = timeStamp;
  });
  listen<PointerEvent>("pointerover", ({ target }) => {
    over = target;
  });
  new MutationObserver(keepInside).observe(document.body, { childList: true, subtree: true });
}

/** When the element is gone that had the focus, what is around it has it; otherwise nothing would. */
function keepInside(): void {
  if (!last || last.isConnected || document.activeElement !== document.body) return;
  last = undefined;
  document.getElementById("content")?.focus({ preventScroll: true });
}

/** Whether the user can have led the focus into a frame. What is done inside of it nobody outside is told. */
function wentTo(frame: HTMLIFrameElement): boolean {
  if (document.querySelector("dialog[open]")) return false;
  if (tabbing || over === frame) return true;
  // A finger is over nothing before it touches. Without a field of text there is no keyboard to take either.
  if (touching && !takesText(last)) return true;
  // The user acts, but for long not in the dashboard: in the frame, then.
  return navigator.userActivation?.isActive !== false && performance.now() - actedAt > ACTIVE_MS;
}

/** Takes the focus back from a frame to which the user did not go, and tells. Returns the function that ends it. */
export function guardFocus(frame: HTMLIFrameElement, stolen: () => void): () => void {
  const takeBack = () => {
    if (document.activeElement !== frame) return;
    frame.blur();
    const home = last?.isConnected ? last : document.getElementById("content");
    home?.focus({ preventScroll: true });
    stolen();
  };
  // While the focus moves it cannot be moved elsewhere.
  const check = () => {
    if (document.activeElement === frame && !wentTo(frame)) setTimeout(takeBack);
  };
  addEventListener("blur", check);
  return () => removeEventListener("blur", check);
}
