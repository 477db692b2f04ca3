/** @jsxImportSource preact */
/**
 * A panel in its frame. The frame has an opaque origin: it cannot reach the page around it, and all that comes out
 * of it are messages, none of which is trusted.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { panelStrings as w } from "../../strings/panel.js";
import { strings as t } from "../../strings.js";
import { sessionOver } from "../api.js";
import { guardFocus } from "../focus.js";
import { Rate } from "../rate.js";
import { to } from "../router.js";
import { link } from "../state/live.js";
import { shownTheme } from "../state/theme.js";
import { usePanelMessages } from "./panel-messages.js";

const MAX_RENEWALS = 3;
const RENEWALS_MS = 30_000;
/** A panel's first field may ask for the focus when it comes; one that goes on asking is no help to anybody. */
const MAX_THEFTS = 3;
const THEFTS_MS = 10_000;

export function PanelFrame({ name }: { name: string }) {
  // Another number is another frame.
  const [round, setRound] = useState(0);
  const [renewals] = useState(() => new Rate(MAX_RENEWALS, RENEWALS_MS));
  const [out, setOut] = useState("");
  const reload = () => {
    setOut("");
    setRound(round + 1);
  };
  /** Without being asked; a panel that leads itself away again and again is left alone. */
  const renew = () => {
    if (renewals.allows(performance.now())) reload();
  };
  return (
    <div class="panel">
      {out === "" ? (
        <Frame key={round} name={name} reload={reload} renew={renew} takeOut={setOut} />
      ) : (
        <Trouble name={name} text={out} reload={reload} />
      )}
    </div>
  );
}

function Trouble({ name, text, reload }: { name: string; text: string; reload: () => void }) {
  return (
    <div class="problem row" role="alert">
      <span>{text}</span>
      <button type="button" onClick={reload}>
        {w.reload}
      </button>
      <a href={to("services", name)}>{t.common.log}</a>
    </div>
  );
}

interface FrameProps {
  name: string;
  reload: () => void;
  renew: () => void;
  /** Puts a text in the frame's place. */
  takeOut: (why: string) => void;
}

function Frame({ name, reload, renew, takeOut }: FrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [address] = useState(`/ui/panel/${encodeURIComponent(name)}?theme=${shownTheme.peek()}`);
  const flooded = () => takeOut(w.flooded);
  const { height, ready, slow, error } = usePanelMessages(frame, name, { renew, flooded });
  const loads = useRef(0);
  const heard = useRef(false);
  heard.current = ready;
  // A panel that was asked for while the server was away has given way to the browser's own page.
  useEffect(() => {
    let away = false;
    return link.subscribe((state) => {
      if (state === "lost") away = true;
      else if (away && !heard.current) reload();
    });
  }, []);
  useEffect(() => {
    const thefts = new Rate(MAX_THEFTS, THEFTS_MS);
    const stolen = () => thefts.allows(performance.now()) || takeOut(w.greedy);
    return frame.current ? guardFocus(frame.current, stolen) : undefined;
  }, []);

  // Without a connection the panel is not to blame.
  const isSlow = slow && link.value !== "lost";
  return (
    <>
      {!ready && !isSlow && (
        <p class="dim" role="status">
          {link.value !== "lost" ? w.loading : !sessionOver.value && w.away}
        </p>
      )}
      {(isSlow || error) && <Trouble name={name} text={isSlow ? w.slow : w.error(error)} reload={reload} />}
      <iframe
        ref={frame}
        // What is there before the panel speaks is a page of the browser's, or the server's refusal.
        class={ready ? undefined : "unready"}
        title={w.title(name)}
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
    </>
  );
}
