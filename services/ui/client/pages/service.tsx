/** @jsxImportSource preact */
/** One service: what it is, what it owns, what can be done with it. */
import { useEffect } from "preact/hooks";
import { servicesStrings as w } from "../../strings/services.js";
import { strings as t } from "../../strings.js";
import { api, isMissing } from "../api.js";
import { duration, short } from "../format.js";
import { Ago, CopyCurl, Empty, Facts, Heading, Loaded, Section, Text } from "../parts/bits.js";
import { DeploySteps } from "../parts/deploy-steps.js";
import { KeptVersions } from "../parts/kept-versions.js";
import { Logs } from "../parts/logs.js";
import { ServiceActions } from "../parts/service-actions.js";
import { StateBadge } from "../parts/state-badge.js";
import { to } from "../router.js";
import { onMessage } from "../state/live.js";
import { type Resource, useResource } from "../state/resource.js";
import { deployOf, panels, type Service } from "../state/services.js";
import { type Kept, loadVersions } from "../state/versions.js";

interface Full extends Service {
  requiresAuth: boolean;
  hasStore: boolean;
  capabilities: string[];
  dependents: string[];
  routes: Array<{ method: string; path: string }>;
  listensTo: string[];
  ledger?: Record<string, number>;
  draining: number;
}

const LOOK_AGAIN_MS = 3000;

const Names = ({ names }: { names: string[] }) =>
  names.length === 0 ? (
    <span class="dim">{t.common.none}</span>
  ) : (
    <span class="row">
      {names.map((name) => (
        <a key={name} href={to("services", name)}>
          {name}
        </a>
      ))}
    </span>
  );

function ledgerFacts(ledger: Record<string, number>): Array<[string, string]> {
  return Object.entries(ledger).map(([key, value]) => [
    w.ledgerNames[key] ?? key,
    key === "ageMs" ? duration(value) : String(value),
  ]);
}

export function ServicePage({ name }: { name: string }) {
  const at = `/services/${encodeURIComponent(name)}`;
  const service = useResource(at, () => api<Full>("GET", at), LOOK_AGAIN_MS);
  const versions = useResource(`${at}/versions`, () => loadVersions(name));
  useEffect(
    () =>
      onMessage((message) => {
        if (message.kind !== "services" || message.name !== name) return;
        void service.load();
        void versions.load();
      }),
    [service, versions, name],
  );
  if (isMissing(service.error.value)) return <Unknown name={name} />;
  const hasPanel = panels.data.value?.some((panel) => panel.name === name);
  return (
    <>
      <Heading title={name}>
        {hasPanel && <a href={to("panels", name)}>{w.openPanel}</a>}
        <CopyCurl path={at} />
      </Heading>
      <Loaded from={service} service="services">
        {(full) => <Details service={full} versions={versions} />}
      </Loaded>
    </>
  );
}

function Unknown({ name }: { name: string }) {
  const shown = deployOf(name);
  return (
    <>
      <Heading title={name} />
      <Empty
        text={w.unknown(name)}
        hint={w.unknownHint}
        method="POST"
        path="/services/deploy"
        body={{ name }}
      />
      {shown && <DeploySteps name={name} deploy={shown} />}
    </>
  );
}

function Details({ service, versions }: { service: Full; versions: Resource<Kept> }) {
  const { name, failure, ledger, listensTo } = service;
  return (
    <>
      <Text text={service.description} label={w.what} />
      {failure && (
        <div class="problem">
          <p>
            {t.common.failedChange} (<Ago time={failure.at} />, {failure.step}):
          </p>
          <Text text={failure.error} label={t.common.failedChange} />
        </div>
      )}
      <Facts
        facts={[
          [t.common.state, <StateBadge key="state" service={service} />],
          ...(service.reason ? [[w.reason, service.reason] as [string, string]] : []),
          [w.version, String(service.generation ?? "–")],
          [w.age, <Ago key="age" time={service.loadedAt} />],
          [w.digest, <code key="digest">{short(service.digest)}</code>],
          [w.folder, service.dirName ?? "–"],
          [w.needs, <Names key="needs" names={service.dependencies} />],
          [w.neededBy, <Names key="needed" names={service.dependents} />],
          [w.draining, String(service.draining)],
        ]}
      />
      <Section title={t.common.actions}>
        <ServiceActions service={service} />
      </Section>
      {ledger && (
        <Section title={w.ledger}>
          <Facts facts={ledgerFacts(ledger)} />
        </Section>
      )}
      {name !== "services" && (
        <Section title={w.versions}>
          <KeptVersions name={name} digest={service.digest} from={versions} />
        </Section>
      )}
      <Section title={t.common.log}>
        <Logs path={`/services/${encodeURIComponent(name)}/logs`} none={w.noLogs} />
      </Section>
      <Section title={w.routes}>
        <Routes service={service} />
      </Section>
      {listensTo.length > 0 && (
        <Section title={w.events}>
          <p>{listensTo.join(", ")}</p>
        </Section>
      )}
    </>
  );
}

function Routes({ service: { name, mountAtRoot, routes } }: { service: Full }) {
  if (routes.length === 0) return <p class="dim">{w.noRoutes}</p>;
  return (
    <ul class="routes">
      {routes.map(({ method, path }) => (
        <li key={`${method} ${path}`}>
          <code>
            <b>{method}</b> {mountAtRoot ? "" : `/${name}`}
            {path}
          </code>
        </li>
      ))}
    </ul>
  );
}
