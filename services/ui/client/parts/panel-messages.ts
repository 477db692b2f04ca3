/** What a panel says, as far as the dashboard listens. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { panelStrings as w } from "../../strings/panel.js";
import { HeightGuard } from "../height-guard.js";
import { Rate } from "../rate.js";
import { notify } from "../state/notices.js";
import { shownTheme } from "../state/theme.js";

const MIN_HEIGHT = 120;
/** A panel that says nothing for so long is called slow. */
const PATIENCE_MS = 8000;
const PING_MS = 4000;
const MAX_TOASTS_A_MINUTE = 10;
const RENEW_MS = 5000;
/** Far more than a panel says whose height changes with each frame of an animation. */
const MAX_MESSAGES = 2000;
const MESSAGES_MS = 5000;

interface Told {
  /** The panel's address has expired. */
  renew: () => void;
  /** The panel says too much to be listened to. */
  flooded: () => void;
}

/** Listens to the panel in a frame and asks it now and then whether it is still there. */
export function usePanelMessages(
  frame: RefObject<HTMLIFrameElement | null>,
  name: string,
  { renew, flooded }: Told,
) {
  const [height, setHeight] = useState(MIN_HEIGHT);
  const [ready, setReady] = useState(false);
  const [slow, setSlow] = useState(false);
  const [error, setError] = useState("");

  useEffect(() => {
    const guard = new HeightGuard();
    const messages = new Rate(MAX_MESSAGES, MESSAGES_MS);
    const toasts = new Rate(MAX_TOASTS_A_MINUTE, 60_000);
    const bornAt = performance.now();
    let heardAt = bornAt;
    let port: MessagePort | undefined;
    const admit = () => {
      if (messages.allows(performance.now())) return true;
      stop();
      flooded();
      return false;
    };
    const hear = ({ data }: MessageEvent<unknown>) => {
      if (!admit() || typeof data !== "object" || data === null) return;
      const { reef, text, kind, height: asked } = data as Record<string, unknown>;
      heardAt = performance.now();
      setSlow(false);
      setReady(true);
      switch (reef) {
        case "height": {
          const wanted = guard.next(asked, heardAt);
          if (wanted !== undefined) setHeight(Math.max(MIN_HEIGHT, wanted));
          break;
        }
        case "error":
          if (typeof text === "string") setError(text.slice(0, 300));
          break;
        case "toast":
          if (typeof text !== "string" || !toasts.allows(heardAt)) break;
          notify(kind === "error" ? "error" : "info", text, w.says(name));
          break;
        case "expired":
          if (heardAt - bornAt > RENEW_MS) renew();
          break;
      }
    };
    // The first message brings the port that `panel/voice.ts` speaks through. `data` is never read here: browsers unpack
    // it when it is, and a panel can make that take seconds.
    const open = (event: MessageEvent<unknown>) => {
      if (event.source === null || event.source !== frame.current?.contentWindow || !admit() || port) return;
      [port] = event.ports;
      port?.addEventListener("message", hear);
      port?.start();
    };
    window.addEventListener("message", open);
    let tickedAt = bornAt;
    const timer = setInterval(() => {
      const now = performance.now();
      // After a sleep, or in a tab that was hidden, nobody could have answered.
      if (now - tickedAt > 2 * PING_MS) heardAt = now;
      tickedAt = now;
      frame.current?.contentWindow?.postMessage({ reef: "ping" }, "*");
      if (now - heardAt > PATIENCE_MS) setSlow(true);
    }, PING_MS);
    const stopTheme = shownTheme.subscribe((theme) => {
      frame.current?.contentWindow?.postMessage({ reef: "theme", theme }, "*");
    });
    const stop = () => {
      window.removeEventListener("message", open);
      port?.close();
      clearInterval(timer);
      stopTheme();
    };
    return stop;
  }, [name]);

  return { height, ready, slow, error };
}
