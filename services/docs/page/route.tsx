/** @jsxImportSource preact */
/** One route: what it takes, what it answers, and a form to try it. */
import { useContext, useState } from "preact/hooks";
import { inputsOf } from "../inputs.js";
import type { RouteEntry } from "../model.js";
import { Browser } from "./browser-state.js";
import { Code, FieldTable, Fold, JsonBlock, Method, Prose } from "./parts.js";
import { Try } from "./try.js";

export function Route({ route }: { route: RouteEntry }) {
  const browser = useContext(Browser);
  const [open, setOpen] = useState(false);
  return (
    <details
      class="route"
      id={route.id}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
        if (event.currentTarget.open) browser?.visit(route.id);
      }}
    >
      <summary class="route-title">
        <Method method={route.method} />
        <h3>
          <code>{route.path}</code>
        </h3>
        <span class="says">{route.summary}</span>
        {!route.auth && <span class="tag">no token</span>}
      </summary>
      <div class="inside">
        <RouteText route={route} />
        {open && browser && <Try route={route} browser={browser} />}
      </div>
    </details>
  );
}

function RouteText({ route }: { route: RouteEntry }) {
  const { path, query, body } = inputsOf(route);
  const fields = Object.entries(body?.fields ?? {}).map(([name, field]) => ({ name, ...field }));
  return (
    <div class="text">
      <Prose text={route.detail} />
      {!route.summary && <p class="dim">This route is not documented.</p>}
      <p class="dim">
        {route.auth ? "Requires a token. " : "No token required. "}
        <a href={`#${encodeURI(route.id)}`}>Link to this route</a>
      </p>
      {path.length + query.length > 0 && <FieldTable title="Parameters" fields={[...path, ...query]} />}
      {body && <FieldTable title={`Body (${body.type})`} fields={fields} />}
      {route.schemas?.body && (
        <Fold title="Body schema">
          <JsonBlock value={route.schemas.body} label={`Body schema of ${route.id}`} />
        </Fold>
      )}
      <Replies route={route} />
    </div>
  );
}

function Replies({ route }: { route: RouteEntry }) {
  const { response, responses } = route;
  if (!response && !responses) return null;
  return (
    <section class="replies">
      <h4>Responses</h4>
      {response && <Code text={response} label={`Response of ${route.id}`} />}
      {Object.entries(responses ?? {}).map(([status, { description, schema, example }]) => (
        <div key={status} class="reply">
          <p>
            <span class={`status status-${status[0]}`}>{status}</span> {description}
          </p>
          {example !== undefined && (
            <JsonBlock value={example} label={`Example of ${status} of ${route.id}`} />
          )}
          {schema && (
            <Fold title="Schema">
              <JsonBlock value={schema} label={`Schema of ${status} of ${route.id}`} />
            </Fold>
          )}
        </div>
      ))}
    </section>
  );
}
