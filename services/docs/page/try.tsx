/** @jsxImportSource preact */
/** A form that sends a request to this server with the viewer's own token. */
import { useMemo, useRef, useState } from "preact/hooks";
import { inputsOf } from "../inputs.js";
import type { RouteEntry } from "../model.js";
import type { BrowserState } from "./browser-state.js";
import { copyText } from "./clipboard.js";
import { BodyInput, ParameterInputs } from "./fields.js";
import { Code } from "./parts.js";
import { Reply } from "./reply.js";
import { buildRequest, curlOf, METHODS, takesBody, type Values, valuesOf } from "./request.js";
import { type Outcome, send } from "./send.js";

export function Try({ route, browser }: { route: RouteEntry; browser: BrowserState }) {
  const inputs = useMemo(() => inputsOf(route), [route]);
  const examples = route.examples ?? [];
  const [values, setValues] = useState<Values>(() => valuesOf(route, examples[0]));
  const [outcome, setOutcome] = useState<Outcome>();
  const [copied, setCopied] = useState("");
  const running = useRef<AbortController>(undefined);
  const change = (part: Partial<Values>) => setValues((before) => ({ ...before, ...part }));
  const request = buildRequest(route, values);
  const streams = /event-stream|\bSSE\b/i.test(`${route.response} ${JSON.stringify(route.responses ?? "")}`);
  const curl = curlOf(request, location.origin, route.auth, streams);
  const busy = outcome?.state === "sending" || outcome?.state === "streaming";

  const submit = async (event: Event) => {
    event.preventDefault();
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const report = (next: Outcome) => running.current === controller && setOutcome(next);
    await send(request, browser.token || undefined, controller.signal, report);
  };

  return (
    <form class="try" aria-label={`Try ${route.id}`} onSubmit={submit}>
      <h4>Try it</h4>
      {examples.length > 1 && (
        <label>
          Example
          <select
            onChange={(event) => setValues(valuesOf(route, examples[Number(event.currentTarget.value)]))}
          >
            {examples.map((example, at) => (
              <option key={example.summary} value={at}>
                {example.summary ?? `Example ${at + 1}`}
              </option>
            ))}
          </select>
        </label>
      )}
      {route.method === "ALL" && (
        <label>
          Method
          <select value={values.method} onChange={(event) => change({ method: event.currentTarget.value })}>
            {METHODS.map((method) => (
              <option key={method}>{method}</option>
            ))}
          </select>
        </label>
      )}
      <ParameterInputs of={inputs.path} values={values.params} onChange={(params) => change({ params })} />
      <ParameterInputs of={inputs.query} values={values.query} onChange={(query) => change({ query })} />
      {takesBody(values.method) && (
        <BodyInput body={inputs.body} value={values.body} onChange={(body) => change({ body })} />
      )}
      {route.auth && !browser.token && (
        <p class="hint">
          This route requires a token.{" "}
          <button type="button" class="link" onClick={browser.askForToken}>
            Enter yours
          </button>
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary">
          Send
        </button>
        {busy && (
          <button type="button" onClick={() => running.current?.abort()}>
            Stop
          </button>
        )}
        <button type="button" onClick={async () => setCopied(await copyText(curl))}>
          Copy as curl
        </button>
        <span role="status" class="dim">
          {copied}
        </span>
      </div>
      <Code text={curl} label="The request as a curl command" />
      <Reply outcome={outcome} />
    </form>
  );
}
