/** @jsxImportSource preact */
/**
 * A panel in its frame. The frame has an opaque origin: it cannot reach the page around it, and all that comes out
 * of it are messages, none of which is trusted.
 */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { HeightGuard } from "../height-guard.js";
import { to } from "../router.js";
import { notify } from "../state/notices.js";
import { shownTheme } from "../state/theme.js";

const MIN_HEIGHT = 120;
/** A panel that says nothing for so long is called slow. */
const PATIENCE_MS = 8000;
const PING_MS = 4000;
const MAX_TOASTS_A_MINUTE = 10;
const RENEW_MS = 5000;
const MAX_RENEWALS = 3;
const RENEWALS_MS = 30_000;

export function PanelFrame({ name }: { name: string }) {
  // Another number is another frame.
  const [round, setRound] = useState(0);
  const renewals = useRef<number[]>([]);
  const reload = () => setRound(round + 1);
  /** Without being asked; a panel that leads itself away again and again is left alone. */
  const renew = () => {
    const now = performance.now();
    renewals.current = renewals.current.filter((at) => at > now - RENEWALS_MS);
    if (renewals.current.push(now) <= MAX_RENEWALS) reload();
  };
  return <Frame key={round} name={name} reload={reload} renew={renew} />;
}

/** Listens to the panel in a frame and asks it now and then whether it is still there. */
function usePanelMessages(frame: RefObject<HTMLIFrameElement | null>, name: string, renew: () => void) {
  const [height, setHeight] = useState(MIN_HEIGHT);
  const [ready, setReady] = useState(false);
  const [slow, setSlow] = useState(false);
  const [error, setError] = useState("");

  useEffect(() => {
    const guard = new HeightGuard();
    const bornAt = performance.now();
    let heardAt = bornAt;
    let toasts: number[] = [];
    const hear = ({ source, data }: MessageEvent<unknown>) => {
      if (source === null || source !== frame.current?.contentWindow) return;
      if (typeof data !== "object" || data === null) return;
      const message = data as Record<string, unknown>;
      heardAt = performance.now();
      setSlow(false);
      setReady(true);
      switch (message.reef) {
        case "height": {
          const wanted = guard.next(message.height, performance.now());
          if (wanted !== undefined) setHeight(Math.max(MIN_HEIGHT, wanted));
          break;
        }
        case "error":
          setError(String(message.message).slice(0, 300));
          break;
        case "toast":
          toasts = toasts.filter((at) => at > heardAt - 60_000);
          if (toasts.push(heardAt) > MAX_TOASTS_A_MINUTE) break;
          notify(message.kind === "error" ? "error" : "info", String(message.text), t.panel.says(name));
          break;
        case "expired":
          if (heardAt - bornAt > RENEW_MS) renew();
          break;
      }
    };
    window.addEventListener("message", hear);
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
    return () => {
      window.removeEventListener("message", hear);
      clearInterval(timer);
      stopTheme();
    };
  }, [name]);

  return { height, ready, slow, error };
}

interface FrameProps {
  name: string;
  reload: () => void;
  renew: () => void;
}

function Frame({ name, reload, renew }: FrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [address] = useState(`/ui/panel/${encodeURIComponent(name)}?theme=${shownTheme.peek()}`);
  const { height, ready, slow, error } = usePanelMessages(frame, name, renew);
  const loads = useRef(0);

  return (
    <div class="panel">
      {!ready && !slow && (
        <p class="dim" role="status">
          {t.panel.loading}
        </p>
      )}
      {(slow || error) && (
        <div class="problem row" role="alert">
          <span>{slow ? t.panel.slow : t.panel.error(error)}</span>
          <button type="button" onClick={reload}>
            {t.panel.reload}
          </button>
          <a href={to("services", name)}>{t.services.logs}</a>
        </div>
      )}
      <iframe
        ref={frame}
        title={t.panel.title(name)}
        src={address}
        sandbox="allow-scripts allow-forms"
        referrerpolicy="no-referrer"
        allow=""
        onLoad={() => {
          // The panel has led itself elsewhere, where it has no address any more.
          if (++loads.current > 1) renew();
        }}
        style={{ height: `${height}px` }}
      />
    </div>
  );
}
