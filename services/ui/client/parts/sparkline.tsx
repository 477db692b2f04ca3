/** @jsxImportSource preact */
/** A small chart. Its library is loaded when the first one is shown. */
import { useEffect, useRef } from "preact/hooks";
import { brokerStrings as w } from "../../strings/broker.js";
import type { Point } from "../state/broker.js";
import { shownTheme } from "../state/theme.js";

interface Props {
  points: Point[];
  /** In a table's row, without axes. */
  small?: boolean;
}

export function Sparkline({ points, small = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
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
      (error) => console.warn("the chart could not be loaded:", error),
    );
    return () => {
      gone = true;
      destroy();
    };
  }, [points, small, theme, enough]);
  if (!enough) return small ? <span class="dim">–</span> : <p class="dim">{w.noCalls}</p>;
  const last = points.at(-1)?.[1] ?? 0;
  return (
    <div
      ref={box}
      class={small ? "spark" : "chart"}
      role="img"
      aria-label={`${w.mean}: ${last.toFixed(2)}`}
    />
  );
}
