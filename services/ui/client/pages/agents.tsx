/** @jsxImportSource preact */
/** The agents that have been seen, by what they published of themselves. */
import { useEffect, useRef } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { type Agent, agentsFrom, readBack } from "../agents.js";
import { Ago, Badge, CopyCurl, Empty, Heading, Loaded, Table, type Tone } from "../parts/bits.js";
import { type FeedEvent, onEvents } from "../state/live.js";
import { useResource } from "../state/resource.js";

const TONES: Record<Agent["doing"], Tone> = { working: "info", finished: "good", failed: "bad" };
const TYPES = ["agent_started", "agent_finished", "agent_failed"];

/** Adds what is new to the events that are known. */
async function load(known: Map<string, FeedEvent>): Promise<Agent[]> {
  const found = await Promise.all(TYPES.map((type) => readBack(type, known)));
  for (const event of found.flat()) known.set(event.id, event);
  return agentsFrom([...known.values()]);
}

export function AgentsPage() {
  const { current: known } = useRef(new Map<string, FeedEvent>());
  const agents = useResource("agents", () => load(known));
  useEffect(
    () => onEvents((events) => events.some(({ type }) => type.startsWith("agent_")) && void agents.load()),
    [agents],
  );
  return (
    <>
      <Heading title={t.agents.title}>
        <CopyCurl path="/feed/events?type=agent_started&limit=200" />
      </Heading>
      <Loaded from={agents} service="feed">
        {(list) =>
          list.length === 0 ? (
            <Empty
              text={t.agents.empty}
              method="POST"
              path="/feed/events"
              body={{ type: "agent_started", source: "my-agent", content: "my-agent started working" }}
            />
          ) : (
            <Table
              label={t.agents.title}
              head={[
                t.agents.agent,
                t.agents.role,
                t.agents.doing,
                t.agents.seen,
                t.agents.last,
                t.events.title,
              ]}
            >
              {list.map(({ name, role, doing, seenAt, last }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{role ?? "–"}</td>
                  <td>
                    <Badge tone={TONES[doing]}>{t.agents[doing]}</Badge>
                  </td>
                  <td>
                    <Ago time={seenAt} />
                  </td>
                  <td class="text">{last}</td>
                  <td>
                    <a
                      href={`/ui/events?source=${encodeURIComponent(name)}`}
                      aria-label={`${t.agents.events}: ${name}`}
                    >
                      {t.agents.events}
                    </a>
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </>
  );
}
