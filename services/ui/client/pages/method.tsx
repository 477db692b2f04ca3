/** @jsxImportSource preact */
/** One method: what it takes and gives, how it does, and a call to try. */
import { useEffect, useState } from "preact/hooks";
import { brokerStrings as w } from "../../strings/broker.js";
import { ApiError, api, messageOf } from "../api.js";
import { millis } from "../format.js";
import { Act, Empty, Facts, Heading, Json, Loaded, Section, Text } from "../parts/bits.js";
import { Logs } from "../parts/logs.js";
import { Sparkline } from "../parts/sparkline.js";
import { sample } from "../sample.js";
import { type BrokerState, type Method, remember, trendOf } from "../state/broker.js";
import { type Resource, useResource } from "../state/resource.js";

interface Names {
  plugin: string;
  service: string;
  method: string;
}

const LOOK_AGAIN_MS = 3000;

type Outcome =
  | { ok: true; value: unknown; took: number }
  | { ok: false; error: string; body?: unknown; took: number };

async function call(path: string, input: unknown): Promise<Outcome> {
  const startedAt = performance.now();
  try {
    const { result } = await api<{ result: unknown }>("POST", path, input);
    return { ok: true, value: result, took: performance.now() - startedAt };
  } catch (error) {
    const body = error instanceof ApiError ? error.body : undefined;
    return { ok: false, error: messageOf(error), body, took: performance.now() - startedAt };
  }
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    // The page says so beside the field.
    return undefined;
  }
}

function Try({ path, method, after }: { path: string; method: Method; after: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(sample(method.inputSchema), null, 2));
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const input = parse(text);
  const run = async () => {
    if (!input || busy) return;
    setBusy(true);
    setOutcome(await call(path, input.value));
    setBusy(false);
    after();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <label for="input">{w.input}</label>
      <textarea
        id="input"
        rows={6}
        spellcheck={false}
        aria-invalid={!input}
        aria-describedby="input-problem"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void run();
        }}
      />
      <p id="input-problem" class="bad-text">
        {input ? "" : w.badJson}
      </p>
      <div class="row">
        <Act
          text={busy ? w.calling : w.call}
          class="primary"
          disabled={!input || busy}
          method="POST"
          path={path}
          body={input?.value}
        />
      </div>
      <div role="status">
        {outcome && (
          <>
            <p class={outcome.ok ? "good-text" : "bad-text"}>
              {outcome.ok ? w.result : outcome.error} <span class="dim">{w.took(millis(outcome.took))}</span>
            </p>
            {outcome.ok && <Json value={outcome.value} label={w.result} />}
            {!outcome.ok && outcome.body !== undefined && <Json value={outcome.body} label={w.denied} />}
          </>
        )}
      </div>
    </form>
  );
}

function Shown({ names, method, from }: { names: Names; method: Method; from: Resource<BrokerState> }) {
  const { plugin, service } = names;
  const path = `/broker/call/${[plugin, service, method.name].map(encodeURIComponent).join("/")}`;
  const { calls, latency, errors } = method.stats;
  const failed = Object.entries(errors).map(([code, count]) => `${code}: ${count}`);
  return (
    <>
      <Text text={method.description} label={method.name} />
      <Section title={w.tryIt}>
        <Try path={path} method={method} after={() => void from.load()} />
      </Section>
      <Section title={w.trend}>
        <Sparkline points={trendOf(`${plugin}/${service}/${method.name}`)} />
        <Facts
          facts={[
            [w.calls, String(calls)],
            [w.errors, failed.join(", ") || "0"],
            ...(["p50", "p95", "p99", "max"] as const).map((name): [string, string] => [
              name,
              calls === 0 ? "–" : millis(latency[name]),
            ]),
          ]}
        />
      </Section>
      <Section title={w.inputSchema}>
        <Json value={method.inputSchema} label={w.inputSchema} />
      </Section>
      <Section title={w.outputSchema}>
        <Json value={method.outputSchema} label={w.outputSchema} />
      </Section>
      <Section title={w.logs}>
        <Logs path={`/broker/logs/${encodeURIComponent(plugin)}`} none={w.noLogs} />
      </Section>
    </>
  );
}

export function MethodPage(names: Names) {
  const broker = useResource("broker", () => api<BrokerState>("GET", "/broker"), LOOK_AGAIN_MS);
  useEffect(() => broker.data.subscribe((state) => state && remember(state.plugins)), [broker]);
  return (
    <>
      <Heading title={`${names.service}.${names.method}`}>
        <a href="/ui/broker">{w.back}</a>
      </Heading>
      <p class="dim">{names.plugin}</p>
      <Loaded from={broker} service="broker">
        {({ plugins }) => {
          const method = plugins
            .find(({ id }) => id === names.plugin)
            ?.services.find(({ name }) => name === names.service)
            ?.methods.find(({ name }) => name === names.method);
          if (!method) return <Empty text={w.unknown} path="/broker" />;
          return <Shown names={names} method={method} from={broker} />;
        }}
      </Loaded>
    </>
  );
}
