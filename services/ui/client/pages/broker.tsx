/** @jsxImportSource preact */
/** Callable methods, how they do, and who may do what. */
import { useEffect } from "preact/hooks";
import { brokerStrings as w } from "../../strings/broker.js";
import { strings as t } from "../../strings.js";
import { attempt } from "../actions.js";
import { api } from "../api.js";
import { millis } from "../format.js";
import { Act, Badge, CopyCurl, Empty, Heading, Loaded, Section, Table } from "../parts/bits.js";
import { Filter, Found } from "../parts/filter.js";
import { Permissions } from "../parts/permissions.js";
import { Sparkline } from "../parts/sparkline.js";
import { to } from "../router.js";
import {
  type BrokerState,
  describeEnforcement,
  type Method,
  type Provider,
  remember,
  trendOf,
} from "../state/broker.js";
import { useResource } from "../state/resource.js";
import "../shell.js";
import { definePage } from "../page-code.js";
import { MethodPage } from "./method.js";

const LOOK_AGAIN_MS = 3000;

function Methods({ plugins }: { plugins: Provider[] }) {
  const all = plugins.flatMap(({ id, services }) =>
    services.flatMap((service) => service.methods.map((method) => ({ id, service: service.name, method }))),
  );
  return (
    <Found
      all={all}
      textOf={({ id, service, method }) => `${id} ${service}.${method.name} ${method.description}`}
      count={w.count}
    >
      {(found) => (
        <Table label={w.methods} head={[w.method, w.plugin, w.calls, w.errors, w.latency, w.trend]}>
          {found.map(({ id, service, method }) => (
            <MethodRow key={`${id}/${service}/${method.name}`} id={id} service={service} method={method} />
          ))}
        </Table>
      )}
    </Found>
  );
}

function MethodRow({ id, service, method }: { id: string; service: string; method: Method }) {
  const { name, description, stats } = method;
  const failed = Object.values(stats.errors).reduce((sum, count) => sum + count, 0);
  return (
    <tr>
      <th scope="row">
        <a href={to("broker", id, service, name)} title={description}>
          {service}.{name}
        </a>
      </th>
      <td>{id}</td>
      <td class="number">{stats.calls}</td>
      <td class="number">{failed > 0 ? <span class="bad-text">{failed}</span> : 0}</td>
      <td class="number">
        {stats.calls === 0 ? "–" : `${millis(stats.latency.p50)} / ${millis(stats.latency.p95)}`}
      </td>
      <td>
        <Sparkline points={trendOf(`${id}/${service}/${name}`)} small />
      </td>
    </tr>
  );
}

function Workers({ state, reload }: { state: BrokerState; reload: () => void }) {
  if (state.workers.length === 0) return <p class="dim">{w.noWorkers}</p>;
  return (
    <Table label={w.workers} head={[t.common.name, t.common.state, w.inFlight, w.queued, t.common.actions]}>
      {state.workers.map((worker, index) => {
        const [plugin = "", service = ""] = splitKey(worker.service);
        const path = `/broker/release/${encodeURIComponent(plugin)}/${encodeURIComponent(service)}`;
        const resting = worker.state === "quarantined" || worker.state === "resting";
        return (
          <tr key={`${worker.service} ${index}`}>
            <th scope="row">{worker.service}</th>
            <td>
              <Badge tone={resting ? "bad" : worker.state === "ready" ? "good" : "dim"}>{worker.state}</Badge>
              {worker.quarantine?.reason && <p class="bad-text">{worker.quarantine.reason}</p>}
            </td>
            <td class="number">{worker.inFlight}</td>
            <td class="number">{worker.queued}</td>
            <td>
              {resting && (
                <div class="row tied">
                  <Act
                    text={w.release}
                    of={worker.service}
                    onClick={async () => {
                      await attempt(() => api("POST", path), w.released);
                      reload();
                    }}
                    method="POST"
                    path={path}
                  />
                </div>
              )}
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

/** `@scope/plugin/service` → its plugin and its service. */
function splitKey(key: string): [string, string] {
  const at = key.lastIndexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
}

function BrokerPage() {
  const broker = useResource("broker", () => api<BrokerState>("GET", "/broker"), LOOK_AGAIN_MS);
  useEffect(() => broker.data.subscribe((state) => state && remember(state.plugins)), [broker]);
  return (
    <>
      <Heading title={w.title}>
        <Filter />
        <CopyCurl path="/broker" />
      </Heading>
      <Loaded from={broker} service="broker">
        {(state) => {
          const ids = state.plugins.map(({ id }) => id);
          return (
            <>
              <p>
                {w.enforcement}: {describeEnforcement(state.enforcement)}{" "}
                <span class="dim">({state.enforcement.reason})</span>
              </p>
              {state.failures.length > 0 && (
                <Section title={w.failures}>
                  {state.failures.map(({ dir, error }) => (
                    <p key={dir} class="problem">
                      {dir}: {error}
                    </p>
                  ))}
                </Section>
              )}
              {state.plugins.every(({ services }) => services.length === 0) ? (
                <Empty text={w.empty} method="POST" path="/broker/reload" />
              ) : (
                <>
                  <Section title={w.methods}>
                    <Methods plugins={state.plugins} />
                  </Section>
                  <Section title={w.permissions}>
                    <Permissions ids={ids} />
                  </Section>
                </>
              )}
              <Section title={w.workers}>
                <Workers state={state} reload={() => void broker.load()} />
              </Section>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

definePage("broker", ([, plugin = "", service = "", method]) =>
  method === undefined ? (
    <BrokerPage />
  ) : (
    <MethodPage key={`${plugin}/${service}/${method}`} {...{ plugin, service, method }} />
  ),
);
