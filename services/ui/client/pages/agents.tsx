/** @jsxImportSource preact */
/** The agents that have been seen, by what they published of themselves. */
import { useEffect, useRef } from "preact/hooks";
import { agentsStrings as w } from "../../strings/agents.js";
import { strings as t } from "../../strings.js";
import { type Agent, agentsFrom, readBack } from "../agents.js";
import { Ago, Badge, CopyCurl, Empty, Heading, Loaded, Table, type Tone } from "../parts/bits.js";
import { Filter, Found } from "../parts/filter.js";
import { type FeedEvent, onEvents } from "../state/live.js";
import { useResource } from "../state/resource.js";
import "../shell.js";
import { definePage } from "../page-code.js";

const TONES: Record<Agent["doing"], Tone> = { working: "info", finished: "good", failed: "bad" };
const TYPES = ["agent_started", "agent_finished", "agent_failed"];

/** Adds what is new to the events that are known. */
async function load(known: Map<string, FeedEvent>): Promise<Agent[]> {
  const found = await Promise.all(TYPES.map((type) => readBack(type, known)));
  for (const event of found.flat()) known.set(event.id, event);
  return agentsFrom([...known.values()]);
}

function AgentsPage() {
  const { current: known } = useRef(new Map<string, FeedEvent>());
  const agents = useResource("agents", () => load(known));
  useEffect(
    () => onEvents((events) => events.some(({ type }) => type.startsWith("agent_")) && void agents.load()),
    [agents],
  );
  return (
    <>
      <Heading title={w.title}>
        {agents.data.value?.length !== 0 && <Filter />}
        <CopyCurl path="/feed/events?type=agent_started&limit=200" />
      </Heading>
      <Loaded from={agents} service="feed">
        {(list) =>
          list.length === 0 ? (
            <Empty
              text={w.empty}
              method="POST"
              path="/feed/events"
              body={{ type: "agent_started", source: "my-agent", content: "my-agent started working" }}
            />
          ) : (
            <Found
              all={list}
              textOf={({ name, role, doing, last }) => [name, role, w[doing], last].join(" ")}
              count={w.count}
            >
              {(found) => (
                <Table label={w.title} head={[w.agent, w.role, w.doing, w.seen, w.last, t.nav.events]}>
                  {found.map(({ name, role, doing, seenAt, last }) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>{role ?? "–"}</td>
                      <td>
                        <Badge tone={TONES[doing]}>{w[doing]}</Badge>
                      </td>
                      <td>
                        <Ago time={seenAt} />
                      </td>
                      <td class="text">
                        <span class="brief">{last}</span>
                      </td>
                      <td class="number">
                        <a
                          href={`/ui/events?source=${encodeURIComponent(name)}`}
                          aria-label={`${w.events}: ${name}`}
                        >
                          {w.events}
                        </a>
                      </td>
                    </tr>
                  ))}
                </Table>
              )}
            </Found>
          )
        }
      </Loaded>
    </>
  );
}

definePage("agents", () => <AgentsPage />);
