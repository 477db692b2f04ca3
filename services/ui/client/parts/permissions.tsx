/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import { brokerStrings as w } from "../../strings/broker.js";
import { api, messageOf } from "../api.js";
import { useResource } from "../state/resource.js";
import { Act, CopyCurl, Facts, Json, Loaded } from "./bits.js";

interface Pair {
  parties: Array<{ id: string; permissions: unknown }>;
  effective: unknown;
}

interface Verdict {
  /** What was asked. */
  path: string;
  allowed: boolean;
  reason?: string;
}

function Granted({ value, label }: { value: unknown; label: string }) {
  if (value === "all") return <>{w.everything}</>;
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return <>{w.nothing}</>;
  return <Json value={value} label={label} />;
}

function Choice({
  id,
  label,
  ids,
  value,
  set,
}: {
  id: string;
  label: string;
  ids: string[];
  value: string;
  set: (id: string) => void;
}) {
  return (
    <label for={id}>
      <span>{label}</span>
      <select id={id} value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
        {ids.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Asks whether one permission is there, and who stands in the way. */
function Check({ at }: { at: string }) {
  const [permission, setPermission] = useState("fs-read");
  const [resource, setResource] = useState("");
  const [verdict, setVerdict] = useState<Verdict>();
  const params = new URLSearchParams({ permission });
  if (resource !== "") params.set("resource", resource);
  const path = `${at}/check?${params}`;
  const ask = async () => {
    try {
      setVerdict({ ...(await api<Omit<Verdict, "path">>("GET", path)), path });
    } catch (error) {
      setVerdict({ path, allowed: false, reason: messageOf(error) });
    }
  };
  return (
    <>
      <h3>{w.check}</h3>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <label>
          <span>{w.permission}</span>
          <input
            required
            value={permission}
            onInput={({ currentTarget }) => setPermission(currentTarget.value.trim())}
          />
        </label>
        <label>
          <span>{w.resource}</span>
          <input value={resource} onInput={({ currentTarget }) => setResource(currentTarget.value.trim())} />
        </label>
        <Act text={w.ask} path={path} />
      </form>
      <div role="status">
        {verdict?.path === path && (
          <p class={verdict.allowed ? "good-text" : "bad-text"}>
            {verdict.allowed ? w.allowed : `${w.denied}: ${verdict.reason ?? ""}`}
          </p>
        )}
      </div>
    </>
  );
}

/** What two providers may do together, and why. */
export function Permissions({ ids }: { ids: string[] }) {
  const [caller, setCaller] = useState(ids[0] ?? "");
  const [callee, setCallee] = useState(ids[1] ?? ids[0] ?? "");
  const at = `/broker/permissions/${encodeURIComponent(caller)}/${encodeURIComponent(callee)}`;
  const pair = useResource(at, () => api<Pair>("GET", at));
  return (
    <>
      <div class="row">
        <Choice id="caller" label={w.caller} ids={ids} value={caller} set={setCaller} />
        <Choice id="callee" label={w.callee} ids={ids} value={callee} set={setCallee} />
        <CopyCurl path={at} />
      </div>
      <Loaded from={pair}>
        {({ parties, effective }) => (
          <Facts
            broad
            facts={[
              ...parties.map(({ id, permissions }): [string, preact.ComponentChildren] => [
                id,
                <Granted key={id} value={permissions} label={id} />,
              ]),
              [w.effective, <Granted key="effective" value={effective} label={w.effective} />],
            ]}
          />
        )}
      </Loaded>
      <Check at={at} />
    </>
  );
}
