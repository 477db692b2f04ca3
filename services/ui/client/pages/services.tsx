/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import { servicesStrings as w } from "../../strings/services.js";
import { strings as t } from "../../strings.js";
import { deploy, reload, syncAll } from "../actions.js";
import { short } from "../format.js";
import { Act, Ago, CopyCurl, Empty, Heading, Loaded, Section, Table } from "../parts/bits.js";
import { DeploySteps } from "../parts/deploy-steps.js";
import { Filter, Found } from "../parts/filter.js";
import { StateBadge } from "../parts/state-badge.js";
import { queryOf, to } from "../router.js";
import {
  byName,
  countsOf,
  deployOf,
  isDeploying,
  type Service,
  services,
  statesOf,
} from "../state/services.js";
import "../shell.js";
import { definePage } from "../page-code.js";
import { ServicePage } from "./service.js";

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
        <span class="brief">{description}</span>
        {failure && <p class="bad-text brief">{failure.error}</p>}
        {state === "disabled" && reason && <p class="dim brief">{reason}</p>}
      </td>
      <td>
        {name !== "services" && state !== "disabled" && (
          <div class="row tied">
            <Act
              text={w.reload}
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
    <Section title={w.deployOther}>
      <p class="dim">{w.deployHint}</p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== "") void deploy(name);
        }}
      >
        <label for="deploy-name">{w.deployName}</label>
        <input
          id="deploy-name"
          required
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value.trim())}
        />
        <Act
          text={w.deploy}
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

function List({ list }: { list: Service[] }) {
  const state = queryOf("state");
  return (
    <Found
      all={list}
      textOf={({ name, description, failure, reason }) =>
        [name, description, failure?.error, reason].join(" ")
      }
      passes={(service) => state === "" || statesOf(service).includes(state)}
      count={w.count}
    >
      {(found) => (
        <Table
          label={w.title}
          head={[t.common.name, t.common.state, w.version, w.age, w.what, t.common.actions]}
        >
          {found.toSorted(byName).map((service) => (
            <Row key={service.name} service={service} />
          ))}
        </Table>
      )}
    </Found>
  );
}

function ServicesPage() {
  return (
    <>
      <Heading title={w.title}>
        <Filter
          choices={[
            {
              name: "state",
              label: t.common.state,
              counts: countsOf(services.data.value ?? []),
              names: w.states,
            },
          ]}
        />
        <CopyCurl path="/services" />
        <Act text={w.reloadAll} onClick={syncAll} method="POST" path="/services/reload" />
      </Heading>
      <Loaded from={services} service="services">
        {(list) =>
          list.length === 0 ? (
            <Empty text={w.empty} method="POST" path="/services/reload" />
          ) : (
            <List list={list} />
          )
        }
      </Loaded>
      <DeployForm />
    </>
  );
}

definePage("services", ([, name]) =>
  name === undefined ? <ServicesPage /> : <ServicePage key={name} name={name} />,
);
