/** @jsxImportSource preact */
import { useEffect } from "preact/hooks";
import { overviewStrings as w } from "../../strings/overview.js";
import { api } from "../api.js";
import { Absent, Ago, CopyCurl, Empty, Heading, Loaded, Section } from "../parts/bits.js";
import { NoEvents } from "../parts/no-events.js";
import { StateBadge } from "../parts/state-badge.js";
import { to } from "../router.js";
import { type FeedEvent, onEvents } from "../state/live.js";
import { useResource } from "../state/resource.js";
import { byName, isLoaded, isTroubled, panels, type Service, services } from "../state/services.js";
import "../shell.js";
import { definePage } from "../page-code.js";

const LATEST = 8;
const SHOWN_CONTENT = 200;
/** So many of those in trouble are told of here. */
const SHOWN = 9;

function Attention({ list }: { list: Service[] }) {
  const troubled = list.filter(isTroubled).toSorted(byName);
  if (troubled.length === 0) return <p class="dim">{w.fine}</p>;
  return (
    <>
      <ul class="cards">
        {troubled.slice(0, SHOWN).map((service) => (
          <li key={service.name} class="card">
            <div class="row">
              <a href={to("services", service.name)}>{service.name}</a>
              <StateBadge service={service} />
            </div>
            <p class="bad-text brief">{service.failure?.error}</p>
          </li>
        ))}
      </ul>
      {troubled.length > SHOWN && (
        <p>
          <a href="/ui/services?state=attention">{w.allAttention(troubled.length)}</a>
        </p>
      )}
    </>
  );
}

function Latest() {
  const latest = useResource("latest", () =>
    api<{ events: FeedEvent[] }>("GET", `/feed/events?limit=${LATEST}`),
  );
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onEvents(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void latest.load();
      }, 500);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [latest]);
  if (isLoaded("feed") === false) return <Absent service="feed" />;
  return (
    <Loaded from={latest} service="feed">
      {({ events }) =>
        events.length === 0 ? (
          <NoEvents />
        ) : (
          <ul class="list">
            {events.map((event) => (
              <li key={event.id}>
                <a href={to("events", event.id)}>
                  <Ago time={event.time} />
                  <span class="accent">{event.type}</span>
                  <span class="dim">{event.source}</span>
                  <span class="text">{event.content.split("\n", 1)[0]?.slice(0, SHOWN_CONTENT)}</span>
                </a>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function OverviewPage() {
  const list = services.data.value ?? [];
  const loaded = list.filter(({ state }) => state === "loaded").length;
  return (
    <>
      <Heading title={w.title}>
        {services.data.value && <a href="/ui/services">{w.services(loaded, list.length)}</a>}
        <CopyCurl path="/services" />
      </Heading>
      <Section title={w.attention}>
        <Loaded from={services} service="services">
          {(all) => <Attention list={all} />}
        </Loaded>
      </Section>
      <Section title={w.panels}>
        <Loaded from={panels}>
          {(all) =>
            all.length === 0 ? (
              <Empty text={w.noPanels} path="/docs/ui" />
            ) : (
              <ul class="cards">
                {all.map(({ name, description }) => (
                  <li key={name} class="card">
                    <a href={to("panels", name)}>{name}</a>
                    <p class="dim brief">{description}</p>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
      <Section title={w.latest}>
        <Latest />
        <p>
          <a href="/ui/events">{w.allEvents}</a>
        </p>
      </Section>
    </>
  );
}

definePage("overview", () => <OverviewPage />);
