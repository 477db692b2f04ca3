/** @jsxImportSource preact */
/** One service: what it is, what it owns, what can be done with it. */
import { useEffect } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { deploy, disable, enable, reload, rollback, unload } from "../actions.js";
import { api, isMissing } from "../api.js";
import { duration, short } from "../format.js";
import { Ago, CopyCurl, Empty, Facts, Heading, Loaded, Section, Table } from "../parts/bits.js";
import { DeploySteps } from "../parts/deploy-steps.js";
import { Logs } from "../parts/logs.js";
import { to } from "../router.js";
import { onMessage } from "../state/live.js";
import { type Resource, useResource } from "../state/resource.js";
import { deploys, panels, type Service } from "../state/services.js";
import { StateBadge } from "./services.js";

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

interface Version {
  digest: string;
  keptAt: string;
  served: boolean;
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

function Actions({ service: { name, state } }: { service: Full }) {
  if (name === "services") return <p class="dim">{t.services.isManager}</p>;
  const at = encodeURIComponent(name);
  const shown = deploys.value[name];
  const busy = shown !== undefined && shown.deployed === undefined;
  return (
    <>
      <div class="row actions">
        <button type="button" class="primary" disabled={busy} onClick={() => deploy(name)}>
          {t.services.deploy}
        </button>
        <CopyCurl method="POST" path="/services/deploy" body={{ name }} />
        <button type="button" onClick={() => reload(name)}>
          {t.services.reload}
        </button>
        <CopyCurl method="POST" path={`/services/reload/${at}`} />
        <button type="button" onClick={() => rollback(name)}>
          {t.services.rollback}
        </button>
        <CopyCurl method="POST" path={`/services/rollback/${at}`} body={{}} />
        <a class="button" href={`/ui/api/services/export/${at}`} download={`${name}.tar.gz`}>
          {t.services.exportIt}
        </a>
        {state === "disabled" ? (
          <button type="button" onClick={() => enable(name)}>
            {t.services.enable}
          </button>
        ) : (
          <button type="button" class="danger" onClick={() => disable(name)}>
            {t.services.disable}
          </button>
        )}
        {state === "loaded" && (
          <button type="button" class="danger" onClick={() => unload(name)}>
            {t.services.unload}
          </button>
        )}
      </div>
      <p class="dim">{t.services.deployHint}</p>
      {shown && <DeploySteps deploy={shown} />}
    </>
  );
}

function Versions({
  name,
  digest,
  from,
}: {
  name: string;
  digest?: string;
  from: Resource<{ versions: Version[] }>;
}) {
  return (
    <Loaded from={from}>
      {({ versions }) =>
        versions.length === 0 ? (
          <p class="dim">{t.services.noVersions}</p>
        ) : (
          <Table
            label={t.services.versions}
            head={[t.services.digest, t.services.keptAt, t.services.actions]}
          >
            {versions.map((version) => (
              <tr key={version.digest}>
                <th scope="row" title={version.digest}>
                  <code>{short(version.digest)}</code>
                </th>
                <td>
                  <Ago time={version.keptAt} />
                </td>
                <td>
                  {version.digest === digest ? (
                    <span class="dim">{t.services.current}</span>
                  ) : (
                    <button
                      type="button"
                      aria-label={`${t.services.restore}: ${short(version.digest)}`}
                      onClick={() => rollback(name, version.digest)}
                    >
                      {t.services.restore}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}

function ledgerFacts(ledger: Record<string, number>): Array<[string, string]> {
  return Object.entries(ledger).map(([key, value]) => [
    t.services.ledgerNames[key] ?? key,
    key === "ageMs" ? duration(value) : String(value),
  ]);
}

export function ServicePage({ name }: { name: string }) {
  const at = `/services/${encodeURIComponent(name)}`;
  const service = useResource(at, () => api<Full>("GET", at), LOOK_AGAIN_MS);
  const versions = useResource(`${at}/versions`, () => api<{ versions: Version[] }>("GET", `${at}/versions`));
  useEffect(
    () =>
      onMessage((message) => {
        if (message.kind !== "services" || message.name !== name) return;
        void service.load();
        void versions.load();
      }),
    [service, versions, name],
  );
  if (isMissing(service.error.value)) {
    return (
      <>
        <Heading title={name} />
        <Empty
          text={t.services.unknown(name)}
          hint={t.services.unknownHint}
          method="POST"
          path="/services/deploy"
          body={{ name }}
        />
        {deploys.value[name] && <DeploySteps deploy={deploys.value[name]} />}
      </>
    );
  }
  const hasPanel = panels.data.value?.some((panel) => panel.name === name);
  return (
    <>
      <Heading title={name}>
        {hasPanel && <a href={to("panels", name)}>{t.services.openPanel}</a>}
        <CopyCurl path={at} />
      </Heading>
      <Loaded from={service} service="services">
        {(full) => (
          <>
            <p>{full.description}</p>
            {full.failure && (
              <p class="problem">
                {t.services.failure} (<Ago time={full.failure.at} />, {full.failure.step}):{" "}
                {full.failure.error}
              </p>
            )}
            <Facts
              facts={[
                [t.common.state, <StateBadge key="state" service={full} />],
                ...(full.reason ? [[t.services.reason, full.reason] as [string, string]] : []),
                [t.services.version, String(full.generation ?? "–")],
                [t.services.age, <Ago key="age" time={full.loadedAt} />],
                [t.services.digest, <code key="digest">{short(full.digest)}</code>],
                [t.services.folder, full.dirName ?? "–"],
                [t.services.needs, <Names key="needs" names={full.dependencies} />],
                [t.services.neededBy, <Names key="needed" names={full.dependents} />],
                [t.services.draining, String(full.draining)],
              ]}
            />
            <Section title={t.services.actions}>
              <Actions service={full} />
            </Section>
            {full.ledger && (
              <Section title={t.services.ledger}>
                <Facts facts={ledgerFacts(full.ledger)} />
              </Section>
            )}
            {name !== "services" && (
              <Section title={t.services.versions}>
                <Versions name={name} digest={full.digest} from={versions} />
              </Section>
            )}
            <Section title={t.services.logs}>
              <Logs path={`${at}/logs`} none={t.services.noLogs} />
            </Section>
            <Section title={t.services.routes}>
              {full.routes.length === 0 ? (
                <p class="dim">{t.services.noRoutes}</p>
              ) : (
                <ul class="routes">
                  {full.routes.map(({ method, path }) => (
                    <li key={`${method} ${path}`}>
                      <code>
                        <b>{method}</b> {full.mountAtRoot ? "" : `/${name}`}
                        {path}
                      </code>
                    </li>
                  ))}
                </ul>
              )}
            </Section>
            {full.listensTo.length > 0 && (
              <Section title={t.services.events}>
                <p>{full.listensTo.join(", ")}</p>
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}
