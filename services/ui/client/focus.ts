/** Where the keyboard is. A panel's frame has it when the user went there; a frame that takes it gives it back. */

/** The element of the dashboard that had the focus last. */
let last: HTMLElement | undefined;
/** Where the pointer is, as far as it was in the dashboard: of what it does in a frame nobody outside is told. */
let over: EventTarget | null = null;
/** The Tab key was pressed, and the focus has not arrived anywhere in the dashboard. */
let tabbing = false;
/** A key is down that makes a shortcut of the next one. */
let holding = false;
let touching = false;
let overAt = Number.NEGATIVE_INFINITY;
let pressedAt = Number.NEGATIVE_INFINITY;
let keyAt = Number.NEGATIVE_INFINITY;

/** For so long browsers say of an action that the user is acting. */
const ACTIVE_MS = 5000;

export function startFocus(): void {
  const listen = <E extends Event>(type: string, listener: (event: E) => void) =>
    addEventListener(type, listener as (event: Event) => void, true);
  listen<FocusEvent>("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || target instanceof HTMLIFrameElement) return;
    last = target;
    tabbing = false;
  });
  const hold = ({ ctrlKey, metaKey, altKey }: KeyboardEvent) => {
    holding = ctrlKey || metaKey || altKey;
  };
  listen<KeyboardEvent>("keydown", (event) => {
    tabbing = event.key === "Tab";
    touching = false;
    keyAt = event.timeStamp;
    hold(event);
  });
  listen<KeyboardEvent>("keyup", hold);
  listen<PointerEvent>("pointerdown", ({ pointerType, timeStamp }) => {
    tabbing = false;
    touching = pointerType === "touch";
    pressedAt = timeStamp;
  });
  listen<PointerEvent>("pointerover", ({ target, timeStamp }) => {
    over = target;
    overAt = timeStamp;
  });
  listen<PointerEvent>("pointerout", () => {
    over = null;
  });
  new MutationObserver(keepInside).observe(document.body, { childList: true, subtree: true });
}

/** The page has the keyboard, and stays where it is. */
export function focusContent(): void {
  document.getElementById("content")?.focus({ preventScroll: true });
}

/** When the element is gone that had the focus, what is around it has it; otherwise nothing would. */
function keepInside(): void {
  if (!last || last.isConnected || document.activeElement !== document.body) return;
  last = undefined;
  focusContent();
}

/** What the dashboard knows of the user when a frame has got the focus. */
export interface Signs {
  dialog: boolean;
  over: unknown;
  tabbing: boolean;
  holding: boolean;
  touching: boolean;
  /** A field of text had the focus, and is still there. */
  typing: boolean;
  /** The browser says that the user acts, be it in the frame. */
  active: boolean;
  /** Since the pointer went where it is. */
  overMs: number;
  /** Since the pointer was pressed in the dashboard. */
  pressedMs: number;
  /** Since a key was pressed in the dashboard. */
  keyMs: number;
}

function signs(): Signs {
  const now = performance.now();
  return {
    dialog: document.querySelector("dialog[open]") !== null,
    over,
    tabbing,
    holding,
    touching,
    typing: last?.isConnected === true && last.matches("input, textarea, select"),
    active: navigator.userActivation?.isActive !== false,
    overMs: now - overAt,
    pressedMs: now - pressedAt,
    keyMs: now - keyAt,
  };
}

/** Whether the user can have led the focus into a frame. */
export function wentTo(frame: unknown, user: Signs): boolean {
  if (user.dialog) return false;
  if (user.tabbing) return true;
  // Without a field of text, or a shortcut that may lead to one, a key says nothing: there is no keyboard to take.
  const keyMs = user.typing || user.holding ? user.keyMs : Number.POSITIVE_INFINITY;
  if (user.over === frame && user.overMs < keyMs) return true;
  // A finger is over nothing before it touches.
  if (user.touching && !user.typing) return true;
  // The user acts, but for long not in the dashboard: in the frame, then.
  return user.active && Math.min(user.pressedMs, keyMs) > ACTIVE_MS;
}

/** Takes the focus back from a frame to which the user did not go, and tells. Returns the function that ends it. */
export function guardFocus(frame: HTMLIFrameElement, stolen: () => void): () => void {
  const takeBack = () => {
    if (document.activeElement !== frame) return;
    frame.blur();
    if (last?.isConnected) last.focus({ preventScroll: true });
    else focusContent();
    stolen();
  };
  // While the focus moves it cannot be moved elsewhere.
  const check = () => {
    if (document.activeElement === frame && !wentTo(frame, signs())) setTimeout(takeBack);
  };
  addEventListener("blur", check);
  return () => removeEventListener("blur", check);
}
