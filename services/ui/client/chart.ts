import uPlot from "uplot";
import { brokerStrings as w } from "../strings/broker.js";
import type { Point } from "./state/broker.js";

/** Draws into an element; returns the function that takes it away again. */
export function draw(box: HTMLElement, points: readonly Point[], small: boolean): () => void {
  const colour = (name: string) => getComputedStyle(box).getPropertyValue(name).trim();
  const axis = { stroke: colour("--text-dim"), grid: { stroke: colour("--border"), width: 1 } };
  const chart = new uPlot(
    {
      width: small ? 110 : Math.max(200, box.clientWidth),
      height: small ? 28 : 180,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: true }, y: { range: (_chart, _min, max) => [0, max * 1.1 || 1] } },
      axes: small ? [{ show: false }, { show: false }] : [axis, { ...axis, label: w.mean, size: 60 }],
      padding: small ? [2, 2, 2, 2] : undefined,
      series: [{}, { stroke: colour("--accent"), width: 1.5, points: { show: !small } }],
    },
    [points.map(([at]) => at), points.map(([, mean]) => mean)],
    box,
  );
  return () => chart.destroy();
}
