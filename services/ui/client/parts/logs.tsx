/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { api } from "../api.js";
import { clock } from "../format.js";
import { useResource } from "../state/resource.js";
import { Loaded } from "./bits.js";

/** A line of a service's log, or of a plugin's. */
interface Line {
  time: string;
  level?: string;
  stream?: string;
  text?: string;
  line?: string;
}

const LOOK_AGAIN_MS = 2000;
/** So near the end, the view follows new lines. */
const NEAR_END = 40;

export function Logs({ path, none }: { path: string; none: string }) {
  const log = useResource(path, () => api<{ lines: Line[] }>("GET", path), LOOK_AGAIN_MS);
  return (
    <Loaded from={log}>
      {({ lines }) => (lines.length === 0 ? <p class="dim">{none}</p> : <Lines lines={lines} />)}
    </Loaded>
  );
}

function Lines({ lines }: { lines: Line[] }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={box}
      class="logs"
      role="log"
      aria-label={t.common.log}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled with the keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
      }}
    >
      {lines.map(({ time, level, stream, text, line }, index) => (
        <div key={index} class={level ?? stream}>
          <time class="dim" dateTime={time}>
            {clock(time)}
          </time>{" "}
          <b>{level ?? stream}</b> {text ?? line}
        </div>
      ))}
    </div>
  );
}
