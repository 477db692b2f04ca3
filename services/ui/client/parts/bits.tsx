/** @jsxImportSource preact */
/** Small pieces that all pages are made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { ApiError, isMissing, messageOf } from "../api.js";
import { curlOf } from "../curl.js";
import { ago } from "../format.js";
import { byHand } from "../state/by-hand.js";
import { now } from "../state/clock.js";
import { notify } from "../state/notices.js";
import type { Resource } from "../state/resource.js";
import { services } from "../state/services.js";

export type Tone = "good" | "bad" | "warn" | "dim" | "info";

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="heading">
      <h1>{title}</h1>
      <div class="row">{children}</div>
    </div>
  );
}

/** How long ago something was, kept up to date; the exact time on hover. */
export function Ago({ time }: { time: string | undefined }) {
  if (time === undefined) return <span class="dim">–</span>;
  return (
    <time dateTime={time} title={time}>
      {t.common.ago(ago(time, now.value))}
    </time>
  );
}

/** Copies a text, or shows it where the browser does not let a page copy: under a name without encryption. */
export async function copy(text: string, said = t.common.copied): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify("info", said);
  } catch (error) {
    console.debug("cannot copy:", messageOf(error));
    byHand.value = text;
  }
}

interface Call {
  method?: string;
  path: string;
  body?: unknown;
}

/** The command line of a call, with a button that copies it. */
export function Curl({ method = "GET", path, body }: Call) {
  const text = curlOf(location.origin, method, path, body);
  return (
    <div class="curl">
      <Code text={text} label={t.common.copyCurl} />
      <button type="button" onClick={() => copy(text)}>
        {t.common.copy}
      </button>
    </div>
  );
}

interface CopyCurlProps extends Call {
  /** Tells it from others of the same path. */
  of?: string;
  /** Where the reply is saved. */
  file?: string;
}

/** A button that copies the command line of what the button beside it does. */
export function CopyCurl({ method = "GET", path, body, of, file }: CopyCurlProps) {
  return (
    <button
      type="button"
      class="quiet"
      title={t.common.copyCurl}
      aria-label={`${t.common.copyCurl}: ${method} ${path}${of === undefined ? "" : ` (${of})`}`}
      onClick={() => copy(curlOf(location.origin, method, path, body, file))}
    >
      curl
    </button>
  );
}

interface ActProps extends CopyCurlProps {
  /** What the button says: the verb. */
  text: string;
  class?: string;
  disabled?: boolean;
  /** What it does, once at a time; it does not throw. Without it, it sends the form that it stands in. */
  onClick?: () => unknown;
}

/** A button that makes a call, and one that copies the call's command line. `of` tells both from others. */
export function Act({ text, class: className, disabled, onClick, of, ...call }: ActProps) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    await onClick?.();
    setBusy(false);
  };
  const isOff = disabled || busy;
  return (
    <span class="act">
      <button
        type={onClick ? "button" : "submit"}
        class={className}
        // With `disabled` it would lose the keyboard while what it does is under way.
        aria-disabled={isOff || undefined}
        aria-label={of === undefined ? undefined : `${text}: ${of}`}
        onClick={isOff ? (event) => event.preventDefault() : onClick && act}
      >
        {text}
      </button>
      {/* Without a body, the path tells it already. */}
      <CopyCurl {...call} of={call.body === undefined ? undefined : of} />
    </span>
  );
}

/** Text as it is, that can be scrolled with the keyboard. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled with the keyboard
    <section class="code" tabIndex={0} aria-label={label}>
      <code>{text}</code>
    </section>
  );
}

/** Texts that are longer are scrolled. */
const LONG = 500;

/** A text from outside, of whatever length. */
export const Text = ({ text, label }: { text: string; label: string }) =>
  text.length > LONG ? <Code text={text} label={label} /> : <p>{text}</p>;

export const Json = ({ value, label }: { value: unknown; label: string }) => (
  <Code text={JSON.stringify(value, null, 2) ?? "undefined"} label={label} />
);

/** Nothing here, and the call that changes that. */
export function Empty({ text, hint, ...call }: { text: string; hint?: string } & Call) {
  return (
    <div class="empty">
      <p>{text}</p>
      {hint && <p class="dim">{hint}</p>}
      <Curl {...call} />
    </div>
  );
}

interface Missing {
  service: string;
  text?: string;
  /** Said of a service that is not switched off. */
  hint?: string;
}

/** Stands in for what a service would show that is not loaded. */
export function Absent({ service, text = t.common.absent(service), hint = t.common.absentHint }: Missing) {
  const isOff = services.data.value?.some(({ name, state }) => name === service && state === "disabled");
  const enable = { hint: t.common.offHint, path: `/services/enable/${encodeURIComponent(service)}` };
  const deploy = { hint, path: "/services/deploy", body: { name: service } };
  return <Empty text={text} method="POST" {...(isOff ? enable : deploy)} />;
}

/** What a resource holds; until then that it is loading, why it failed, or that its service is absent. */
export function Loaded<T>({
  from,
  service,
  children,
}: {
  from: Resource<T>;
  service?: string;
  children: (data: T) => ComponentChildren;
}) {
  const data = from.data.value;
  const error = from.error.value;
  if (service && isMissing(error)) return <Absent service={service} />;
  if (data !== undefined) return <>{children(data)}</>;
  if (error === undefined) return <Loading />;
  return <Problem error={error} retry={() => from.load()} />;
}

/** Says that something is loading, but only when it takes long enough to wonder. */
export function Loading({ text = t.common.loading }: { text?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return late ? (
    <p class="dim" role="status">
      {text}
    </p>
  ) : null;
}

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  // That the session is over is said above the page, with the way on.
  if (error instanceof ApiError && error.status === 401) return null;
  return (
    <div class="problem" role="alert">
      <p>
        {t.common.failed}: {messageOf(error)}
      </p>
      {retry && (
        <button type="button" onClick={retry}>
          {t.common.retry}
        </button>
      )}
    </div>
  );
}

/** Pairs of a term and what it is. */
export function Facts({ facts, broad }: { facts: Array<[string, ComponentChildren]>; broad?: boolean }) {
  return (
    <dl class={broad ? "facts broad" : "facts"}>
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A titled part of a page. */
export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A table that scrolls by itself when the page is too narrow for it. */
export function Table({
  head,
  label,
  children,
}: {
  head: string[];
  label: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled with the keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
