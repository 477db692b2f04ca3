/** @jsxImportSource preact */
/** A long tree of rows of one height, of which only those in view exist. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { shiftOf } from "../row-shift.js";

export const ROW = 40;
/** Rows beyond the view on each side, so that scrolling shows no gaps. */
const SPARE = 8;

interface Props<T> {
  items: readonly T[];
  keyOf: (item: T) => string;
  render: (item: T, index: number) => ComponentChildren;
  /** Index of the row that is `active`: it is in view until somebody moves the view. */
  show?: number;
  label: string;
  active?: string;
  onKeyDown: (event: KeyboardEvent) => void;
  /** Called when the end comes near. */
  onEnd: () => void;
  /** Hears how many rows came in at the top since the view left it. */
  onFresh: (count: number) => void;
  /** Changes to bring the view back to the top. */
  top: number;
}

export function VirtualList<T>(props: Props<T>) {
  const { items, keyOf, render, show, label, active, onKeyDown, onEnd, onFresh, top } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ from: 0, to: 40 });
  const before = useRef(items);
  const fresh = useRef(0);
  const held = useRef(false);
  const letGo = () => {
    held.current = false;
  };

  const look = () => {
    const element = box.current;
    if (!element) return;
    const from = Math.max(0, Math.floor(element.scrollTop / ROW) - SPARE);
    const to = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + SPARE;
    if (from !== view.from || to !== view.to) setView({ from, to });
    if (element.scrollTop < ROW && fresh.current > 0) {
      fresh.current = 0;
      onFresh(0);
    }
    if (element.scrollHeight - element.scrollTop - element.clientHeight < 10 * ROW) onEnd();
  };

  // What comes in above must not move what is being read.
  useLayoutEffect(() => {
    const element = box.current;
    const old = before.current;
    before.current = items;
    if (!element || element.scrollTop < ROW) return;
    const at = Math.floor(element.scrollTop / ROW);
    element.scrollTop += ROW * shiftOf(old, items, keyOf, at, Math.ceil(element.clientHeight / ROW));
    const added = shiftOf(old, items, keyOf, 0, 1);
    if (added <= 0) return;
    fresh.current += added;
    onFresh(fresh.current);
  }, [items]);

  useLayoutEffect(look);

  useLayoutEffect(() => {
    held.current = true;
  }, [active]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !held.current || show === undefined || show < 0) return;
    const at = show * ROW;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = at + ROW - element.clientHeight;
    }
  }, [active, items]);

  useLayoutEffect(() => {
    if (!box.current || top === 0) return;
    letGo();
    box.current.scrollTop = 0;
  }, [top]);

  const from = Math.min(view.from, Math.max(0, items.length - 1));
  const seen = items.slice(from, view.to);
  return (
    <div
      ref={box}
      class="virtual"
      role="tree"
      aria-label={label}
      aria-activedescendant={active}
      tabIndex={0}
      onScroll={look}
      onWheel={letGo}
      onPointerDown={letGo}
      onKeyDown={(event) => {
        letGo();
        onKeyDown(event);
      }}
    >
      <div role="none" style={{ height: `${from * ROW}px` }} />
      {seen.map((item, index) => render(item, from + index))}
      <div role="none" style={{ height: `${Math.max(0, items.length - from - seen.length) * ROW}px` }} />
    </div>
  );
}
