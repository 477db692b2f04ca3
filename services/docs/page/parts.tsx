/** @jsxImportSource preact */
/** Small pieces that the page is made of. Texts of authors are text nodes everywhere: nothing of theirs is markup. */
import type { ComponentChildren } from "preact";
import type { ParamDoc } from "../../../src/core/types.js";

export function Method({ method }: { method: string }) {
  return <span class={`method method-${method.toLowerCase()}`}>{method}</span>;
}

/** A block of code that can be scrolled with the keyboard. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled with the keyboard
    <section class="code" tabIndex={0} aria-label={label}>
      <pre>
        <code>{text}</code>
      </pre>
    </section>
  );
}

export function JsonBlock({ value, label }: { value: unknown; label: string }) {
  return <Code text={JSON.stringify(value, null, 2)} label={label} />;
}

/** Something long that is folded away until it is wanted. */
export function Fold({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details class="fold">
      <summary class="fold-title">{title}</summary>
      {children}
    </details>
  );
}

export function FieldTable({ title, fields }: { title: string; fields: Array<ParamDoc & { name: string }> }) {
  if (fields.length === 0) return null;
  return (
    <section class="fields">
      <h4>{title}</h4>
      <dl>
        {fields.map(({ name, type, required, description }) => (
          <div key={name}>
            <dt>
              <code>{name}</code> <span class="type">{type}</span>
              {required && <span class="required">required</span>}
            </dt>
            <dd>{description}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Paragraphs of plain text; line breaks stay. */
export function Prose({ text }: { text: string | undefined }) {
  return text ? <p class="prose">{text}</p> : null;
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;
