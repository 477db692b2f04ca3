/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { deploy, reload, syncAll } from "../actions.js";
import { short } from "../format.js";
import {
  Act,
  Ago,
  Badge,
  CopyCurl,
  Empty,
  Heading,
  Loaded,
  Section,
  Table,
  type Tone,
} from "../parts/bits.js";
import { DeploySteps } from "../parts/deploy-steps.js";
import { to } from "../router.js";
import { deployOf, isDeploying, type Service, services } from "../state/services.js";

const TONES: Record<Service["state"], Tone> = {
  loaded: "good",
  loading: "info",
  failed: "bad",
  disabled: "dim",
};

export function StateBadge({ service: { state, failure } }: { service: Service }) {
  return (
    <>
      <Badge tone={TONES[state]}>{t.services.states[state]}</Badge>
      {state === "loaded" && failure && <Badge tone="warn">{t.services.failure}</Badge>}
    </>
  );
}

function Row({ service }: { service: Service }) {
  const { name, description, generation, digest, loadedAt, failure, reason, state } = service;
  return (
    <tr>
      <th scope="row">
        <a href={to("services", name)}>{name}</a>
      </th>
      <td>
        <StateBadge service={service} />
      </td>
      <td class="number" title={digest}>
        {generation === undefined ? "–" : `${generation} · ${short(digest)}`}
      </td>
      <td>
        <Ago time={loadedAt} />
      </td>
      <td class="text">
        {description}
        {failure && <p class="bad-text">{failure.error}</p>}
        {state === "disabled" && reason && <p class="dim">{reason}</p>}
      </td>
      <td>
        {name !== "services" && state !== "disabled" && (
          <div class="row tied">
            <Act
              text={t.services.reload}
              of={name}
              onClick={() => reload(name)}
              method="POST"
              path={`/services/reload/${encodeURIComponent(name)}`}
            />
          </div>
        )}
      </td>
    </tr>
  );
}

function DeployForm() {
  const [name, setName] = useState("");
  const shown = deployOf(name);
  return (
    <Section title={t.services.deployOther}>
      <p class="dim">{t.services.deployHint}</p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== "") void deploy(name);
        }}
      >
        <label for="deploy-name">{t.services.deployName}</label>
        <input
          id="deploy-name"
          required
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value.trim())}
        />
        <Act
          text={t.services.deploy}
          class="primary"
          disabled={isDeploying(name)}
          method="POST"
          path="/services/deploy"
          body={{ name: name || "your-service" }}
        />
      </form>
      {shown && <DeploySteps name={name} deploy={shown} />}
    </Section>
  );
}

export function ServicesPage() {
  return (
    <>
      <Heading title={t.services.title}>
        <CopyCurl path="/services" />
        <Act text={t.services.reloadAll} onClick={syncAll} method="POST" path="/services/reload" />
      </Heading>
      <Loaded from={services} service="services">
        {(list) =>
          list.length === 0 ? (
            <Empty text={t.services.empty} method="POST" path="/services/reload" />
          ) : (
            <Table
              label={t.services.title}
              head={[
                t.common.name,
                t.common.state,
                t.services.version,
                t.services.age,
                t.services.what,
                t.services.actions,
              ]}
            >
              {list
                .toSorted((a, b) => a.name.localeCompare(b.name))
                .map((service) => (
                  <Row key={service.name} service={service} />
                ))}
            </Table>
          )
        }
      </Loaded>
      <DeployForm />
    </>
  );
}
