/** @jsxImportSource preact */
/** The event tree: threads, live, filtered, and one event in full. */
import { useEffect, useState } from "preact/hooks";
import { eventsStrings as w } from "../../strings/events.js";
import { isMissing } from "../api.js";
import type { Row } from "../event-tree.js";
import { clock } from "../format.js";
import { Absent, CopyCurl, Heading, Loading, Problem } from "../parts/bits.js";
import { EventDetail } from "../parts/event-detail.js";
import { EventFilterBar } from "../parts/event-filter.js";
import { NoEvents } from "../parts/no-events.js";
import { VirtualList } from "../parts/virtual-list.js";
import { go, place, to } from "../router.js";
import {
  ancestors,
  failure,
  followEvents,
  full,
  isFiltered,
  latest,
  loading,
  loadOlder,
  next,
  reloadEvents,
  retry,
  rows,
  toggle,
} from "../state/events.js";
import { connections, onMessage } from "../state/live.js";
import { isLoaded } from "../state/services.js";
import "../shell.js";
import { definePage } from "../page-code.js";

const MAX_INDENT = 8;
const SHOWN_CONTENT = 300;

function EventRow({ row, chosen }: { row: Row; chosen: boolean }) {
  const { event, depth, children, collapsed, position, siblings } = row;
  const { id, type, source, content, time } = event;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      id={`event-${id}`}
      class="event"
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-setsize={siblings}
      aria-posinset={position}
      aria-expanded={children > 0 ? !collapsed : undefined}
      aria-selected={chosen}
      style={{ paddingInlineStart: `${0.5 + Math.min(depth, MAX_INDENT) * 1.1}rem` }}
      onClick={() => go(to("events", id) + query(), { keepFocus: true })}
    >
      <span
        class="fold"
        aria-hidden="true"
        onClick={(click) => {
          if (children === 0) return;
          click.stopPropagation();
          toggle(id);
        }}
      >
        {children === 0 ? (depth > 0 ? "·" : "") : collapsed ? "▸" : "▾"}
      </span>
      <time class="dim" dateTime={time} title={time}>
        {clock(time)}
      </time>
      <span class="accent">{type}</span>
      <span class="dim source">{source}</span>
      <span class="text">{content.slice(0, SHOWN_CONTENT)}</span>
      {collapsed && <span class="badge dim">{children}</span>}
    </div>
  );
}

/** The filter's part of the address, kept when an event is opened. */
function query(): string {
  const { search } = new URL(place.value, location.origin);
  return search;
}

function List({ id }: { id: string | undefined }) {
  const list = rows.value;
  const [fresh, setFresh] = useState(0);
  const [top, setTop] = useState(0);
  const chosen = id === undefined ? -1 : list.findIndex(({ event }) => event.id === id);
  const choose = (index: number) => {
    const row = list[Math.max(0, Math.min(list.length - 1, index))];
    if (row) go(to("events", row.event.id) + query(), { replace: true });
  };
  const press = (event: KeyboardEvent) => {
    const row = list[chosen];
    const moves: Record<string, () => void> = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      j: () => choose(chosen + 1),
      k: () => choose(chosen - 1),
      Home: () => choose(0),
      End: () => choose(list.length - 1),
      PageDown: () => choose(chosen + 10),
      PageUp: () => choose(chosen - 10),
      ArrowRight: () => row && toggle(row.event.id, false),
      ArrowLeft: () => row && fold(row, choose, list),
      Enter: () => document.getElementById("event-detail")?.focus(),
    };
    const move = event.metaKey || event.ctrlKey || event.altKey ? undefined : moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };
  return (
    <div class="listing">
      {fresh > 0 && (
        <button type="button" class="fresh primary" onClick={() => setTop(top + 1)}>
          ↑ {w.fresh(fresh)}
        </button>
      )}
      <VirtualList
        items={list}
        keyOf={({ event }) => event.id}
        render={(row, index) => <EventRow key={row.event.id} row={row} chosen={index === chosen} />}
        show={chosen}
        label={w.list}
        active={chosen >= 0 ? `event-${id}` : undefined}
        onKeyDown={press}
        onEnd={loadOlder}
        onFresh={setFresh}
        top={top}
      />
      {failure.value !== undefined && <Problem error={failure.value} retry={retry} />}
      <p class="dim small" role="status">
        {loading.value && list.length > 0 ? w.older : w.count(list.length, next.value !== null)}
        {full.value && next.value !== null && ` ${w.full}`}
      </p>
    </div>
  );
}

/** Closes an open thread; from inside a thread goes to what it answers. */
function fold(row: Row, choose: (index: number) => void, list: readonly Row[]): void {
  const parent = list.findIndex(({ event }) => event.id === row.event.parentId);
  if (row.children > 0 && !row.collapsed) toggle(row.event.id, true);
  else if (parent >= 0) choose(parent);
}

function Content({ id }: { id: string | undefined }) {
  if (isLoaded("feed") === false) return <Absent service="feed" />;
  if (failure.value !== undefined && rows.value.length === 0) {
    if (isMissing(failure.value)) return <Absent service="feed" />;
    return <Problem error={failure.value} retry={retry} />;
  }
  if (rows.value.length === 0 && loading.value) return <Loading />;
  const nothing = rows.value.length === 0;
  return (
    <div class={id === undefined ? "split" : "split open"}>
      {nothing ? isFiltered.value ? <p class="empty">{w.noMatch}</p> : <NoEvents /> : <List id={id} />}
      {id !== undefined ? <EventDetail key={id} id={id} /> : !nothing && <p class="dim hint">{w.pick}</p>}
    </div>
  );
}

function EventsPage({ id }: { id: string | undefined }) {
  useEffect(followEvents, []);
  // What came while the page was elsewhere is loaded with the rest; later connections go on where the one before ended.
  useEffect(() => {
    let isOpen = false;
    return connections.subscribe((count) => {
      if (!isOpen || count <= 1) void reloadEvents();
      else if (failure.peek() !== undefined) void retry();
      isOpen = true;
    });
  }, []);
  // What is not there, or may turn out so, is asked for again when services change.
  useEffect(() => {
    const isAbsent = () => loading.peek() || isMissing(failure.peek());
    return onMessage(({ kind }) => kind === "services" && isAbsent() && void retry());
  }, []);
  // A thread that is pointed to is shown open.
  useEffect(() => {
    if (id === undefined) return;
    for (const parent of ancestors(id)) toggle(parent, false);
  }, [id]);
  return (
    <div class="full">
      <Heading title={w.title}>
        <EventFilterBar />
        <CopyCurl path={latest.value} />
      </Heading>
      <Content id={id} />
    </div>
  );
}

// One page for all events, which stays when another one is chosen.
definePage("events", ([, id]) => <EventsPage id={id} />);
