/** @jsxImportSource preact */
/** Services that came from outside. */
import { useEffect, useState } from "preact/hooks";
import { installerStrings as w } from "../../strings/installer.js";
import { strings as t } from "../../strings.js";
import { attempt, attemptIfSure } from "../actions.js";
import { api } from "../api.js";
import { Act, Ago, CopyCurl, Empty, Heading, Loaded, Section, Table } from "../parts/bits.js";
import { Filter, Found } from "../parts/filter.js";
import { to } from "../router.js";
import { onMessage } from "../state/live.js";
import { type Resource, useResource } from "../state/resource.js";
import "../shell.js";
import { definePage } from "../page-code.js";

interface Installed {
  dirName: string;
  name: string;
  kind: "service" | "plugin";
  source: string;
  type: string;
  ref?: string;
  installedAt: string;
  /** The version before, when there is one to go back to. */
  previous?: { at: string };
}

/** The last step of every job, whose status is how the job ended. */
const END = "end";

type List = Resource<{ installed: Installed[] }>;

function Form({ list }: { list: List }) {
  const [source, setSource] = useState("");
  const [busy, setBusy] = useState(false);
  const [step, setStep] = useState("");
  useEffect(
    () =>
      onMessage((message) => {
        if (message.kind !== "installer") return;
        const { dirName, step, status } = message;
        setStep(`${dirName}: ${step === END ? status : `${step} ${status}`}`);
      }),
    [],
  );
  const install = async () => {
    setBusy(true);
    const done = await attemptIfSure(
      w.askInstall(source),
      () => api<{ name: string }>("POST", "/installer/install", { source }),
      ({ name }) => w.installed(name),
    );
    setBusy(false);
    if (done) setSource("");
    void list.load();
  };
  return (
    <Section title={w.install}>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void install();
        }}
      >
        <label class="grow">
          <span>{w.source}</span>
          <input
            required
            autocomplete="off"
            spellcheck={false}
            aria-describedby="source-hint"
            value={source}
            onInput={({ currentTarget }) => setSource(currentTarget.value.trim())}
          />
        </label>
        <Act
          text={busy ? w.installing : w.install}
          class="primary"
          disabled={busy}
          method="POST"
          path="/installer/install"
          body={{ source: source || "user/repo" }}
        />
      </form>
      <p id="source-hint" class="dim">
        {w.sourceHint}
      </p>
      <p role="status" class="dim">
        {step && `${w.progress}: ${step}`}
      </p>
    </Section>
  );
}

function Row({ item, list }: { item: Installed; list: List }) {
  const { dirName, name, kind, source, type, ref, installedAt } = item;
  const body = { name: dirName };
  const call = (verb: string) => ({ method: "POST", path: `/installer/${verb}`, body, of: name });
  return (
    <tr>
      <th scope="row">
        <a href={kind === "plugin" ? to("broker") : to("services", name)}>{name}</a>
      </th>
      <td>{type}</td>
      <td class="text">{source}</td>
      <td>{ref ?? "–"}</td>
      <td>
        <Ago time={installedAt} />
      </td>
      <td>
        <div class="row">
          <Act
            text={w.update}
            onClick={async () => {
              await attempt(() => api("POST", "/installer/update", body), w.updated(name));
              void list.load();
            }}
            {...call("update")}
          />
          {item.previous && (
            <Act
              text={t.actions.rollback}
              onClick={async () => {
                await attemptIfSure(
                  t.actions.askRollback(name),
                  () => api("POST", "/installer/rollback", body),
                  t.actions.rolledBack(name),
                );
                void list.load();
              }}
              {...call("rollback")}
            />
          )}
          <Act
            text={w.remove}
            class="danger"
            onClick={async () => {
              await attemptIfSure(
                w.askRemove(name),
                () => api("POST", "/installer/remove", body),
                w.removed(name),
              );
              void list.load();
            }}
            {...call("remove")}
          />
        </div>
      </td>
    </tr>
  );
}

function InstallerPage() {
  const list: List = useResource("installed", () =>
    api<{ installed: Installed[] }>("GET", "/installer/installed"),
  );
  useEffect(
    () => onMessage((message) => message.kind === "installer" && message.step === END && void list.load()),
    [list],
  );
  return (
    <>
      <Heading title={w.title}>
        {list.data.value?.installed.length !== 0 && <Filter />}
        <CopyCurl path="/installer/installed" />
      </Heading>
      <Loaded from={list} service="installer">
        {({ installed }) => (
          <>
            <Form list={list} />
            {installed.length === 0 ? (
              <Empty text={w.empty} method="POST" path="/installer/install" body={{ source: "user/repo" }} />
            ) : (
              <Found
                all={installed}
                textOf={({ dirName, name, type, source, ref }) =>
                  [dirName, name, type, source, ref].join(" ")
                }
                count={w.count}
              >
                {(found) => (
                  <Table
                    label={w.title}
                    head={[t.common.name, w.type, w.source, w.ref, w.at, t.common.actions]}
                  >
                    {found.map((item) => (
                      <Row key={item.dirName} item={item} list={list} />
                    ))}
                  </Table>
                )}
              </Found>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

definePage("installer", () => <InstallerPage />);
