/** @jsxImportSource preact */
/** A small chart. Its library is loaded when the first one is shown. */
import { useEffect, useRef, useState } from "preact/hooks";
import { brokerStrings as w } from "../../strings/broker.js";
import { millis } from "../format.js";
import type { Point } from "../state/broker.js";
import { shownTheme } from "../state/theme.js";

interface Props {
  points: Point[];
  /** In a table's row, without axes. */
  small?: boolean;
}

export function Sparkline({ points, small = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [inWords, setInWords] = useState(false);
  const theme = shownTheme.value;
  const enough = points.length > 1;
  useEffect(() => {
    if (!enough) return;
    let gone = false;
    let destroy: () => void = () => undefined;
    import("../chart.js").then(
      ({ draw }) => {
        if (!gone && box.current) destroy = draw(box.current, points, small);
      },
      (error) => {
        console.warn("could not load the chart:", error);
        setInWords(true);
      },
    );
    return () => {
      gone = true;
      destroy();
    };
  }, [points, small, theme, enough]);
  if (!enough) return small ? <span class="dim">–</span> : <p class="dim">{w.noCalls}</p>;
  const last = points.at(-1)?.[1] ?? 0;
  const words = `${w.mean}: ${last.toFixed(2)}`;
  if (inWords) return small ? <span title={words}>{millis(last)}</span> : <p>{words}</p>;
  return <div ref={box} class={small ? "spark" : "chart"} role="img" aria-label={words} />;
}
