/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import { eventsStrings as w } from "../../strings/events.js";
import { strings as t } from "../../strings.js";
import { api, isMissing } from "../api.js";
import { go, place, to } from "../router.js";
import { addEvents, known } from "../state/events.js";
import type { FeedEvent } from "../state/live.js";
import { useResource } from "../state/resource.js";
import { Ago, Code, CopyCurl, Curl, copy, Empty, Facts, Json, Loading, Problem } from "./bits.js";

const FIXED = new Set(["id", "nodeId", "parentId", "type", "source", "content", "time", "depth"]);
const ANSWERS = 50;

interface Thread {
  path: FeedEvent[];
  below: FeedEvent[];
}

async function load(id: string): Promise<Thread> {
  const at = `/feed/tree/${encodeURIComponent(id)}`;
  const [path, below] = await Promise.all([
    api<{ events: FeedEvent[] }>("GET", `${at}/path?limit=50`),
    api<{ events: FeedEvent[] }>("GET", `${at}?limit=${ANSWERS}`),
  ]);
  return { path: path.events, below: below.events };
}

const close = () => go(to("events") + new URL(place.peek(), location.origin).search);

/** One event in full, with what it came of. */
export function EventDetail({ id }: { id: string }) {
  const thread = useResource(`thread ${id}`, () => load(id));
  const loaded = thread.data.value;
  useEffect(() => (loaded ? addEvents([...loaded.path, ...loaded.below]) : undefined), [loaded]);
  const box = useRef<HTMLElement>(null);
  // Where there is no room beside the list, what was asked for stands below it.
  useEffect(() => {
    if (matchMedia("(max-width: 720px)").matches) box.current?.scrollIntoView();
  }, []);
  const event = known(id) ?? loaded?.below.find((other) => other.id === id);
  const error = thread.error.value;
  return (
    <aside ref={box} id="event-detail" class="detail" tabIndex={-1} aria-label={w.detail}>
      <div class="row">
        <h2>{event?.type ?? w.detail}</h2>
        <button type="button" class="quiet" aria-label={t.common.close} onClick={close}>
          ✕
        </button>
      </div>
      {event ? (
        <Shown event={event} path={loaded?.path ?? []} />
      ) : error === undefined ? (
        <Loading />
      ) : isMissing(error) ? (
        <Empty text={w.gone} hint={w.goneHint} path="/feed/events" />
      ) : (
        <Problem error={error} retry={() => thread.load()} />
      )}
    </aside>
  );
}

function Shown({ event, path }: { event: FeedEvent; path: FeedEvent[] }) {
  const { id, parentId, source, type, content, time } = event;
  const further = Object.fromEntries(Object.entries(event).filter(([name]) => !FIXED.has(name)));
  const before = path.filter((other) => other.id !== id);
  return (
    <>
      {before.length > 0 && (
        <nav aria-label={w.path}>
          <ol class="path">
            {before.map((other) => (
              <li key={other.id}>
                <a href={to("events", other.id)}>{other.type}</a>{" "}
                <span class="dim">{other.content.slice(0, 60)}</span>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <Code text={content} label={w.detail} />
      <Facts
        facts={[
          [
            w.type,
            <a key="type" href={`/ui/events?type=${encodeURIComponent(type)}`}>
              {type}
            </a>,
          ],
          [
            w.source,
            <a key="source" href={`/ui/events?source=${encodeURIComponent(source)}`}>
              {source}
            </a>,
          ],
          [w.when, <Ago key="time" time={time} />],
        ]}
      />
      {before.length === 0 && parentId !== null && (
        <p>
          <a href={to("events", parentId)}>{w.partOf}</a>
        </p>
      )}
      {Object.keys(further).length > 0 && (
        <>
          <h3>{w.fields}</h3>
          <Json value={further} label={w.fields} />
        </>
      )}
      <div class="row">
        <button type="button" onClick={() => copy(location.origin + to("events", id), w.linkCopied)}>
          {w.permalink}
        </button>
        <CopyCurl path={`/feed/events/${id}`} />
      </div>
      <p class="dim">{w.answer}</p>
      <Curl
        method="POST"
        path="/feed/events"
        body={{ type: "answer", source: "me", content: "A reply", parentId: id }}
      />
    </>
  );
}
