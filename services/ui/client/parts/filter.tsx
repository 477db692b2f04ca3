/** @jsxImportSource preact */
/** What a long list is narrowed down to: words, and choices. The address has it, and so have links and the back button. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { focusContent } from "../focus.js";
import { hasWords } from "../has-words.js";
import { narrow, queryOf } from "../router.js";

const SETTLE_MS = 250;
const WORDS = "q";

interface Choice {
  /** Its name in the address. */
  name: string;
  label: string;
  /** How many there are of each. */
  counts: Record<string, number>;
  /** What they are called, where that is not their value. */
  names?: Record<string, string>;
}

function Select({ name, label, counts, names = {} }: Choice) {
  const chosen = queryOf(name);
  const values = Object.keys(counts);
  if (chosen !== "" && !values.includes(chosen)) values.unshift(chosen);
  return (
    <label>
      <span>{label}</span>
      <select value={chosen} onChange={({ currentTarget }) => narrow({ [name]: currentTarget.value })}>
        <option value="">{t.filter.any}</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {names[value] ?? value} {counts[value] === undefined ? "" : `(${counts[value]})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The field for words: it keeps what is typed, until the address says otherwise by itself. */
function useTyped(words: string) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const sent = useRef<string>(undefined);
  const put = (text: string) => {
    clearTimeout(timer.current);
    sent.current = text;
    if (field.current) field.current.value = text;
  };
  useLayoutEffect(() => {
    if (words !== sent.current) put(words);
  }, [words]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = field.current?.value.trim() ?? "";
      narrow({ [WORDS]: sent.current });
    }, SETTLE_MS);
  };
  return { field, typed, put };
}

/** A field for words, which `/` leads to and Escape clears, and the choices that a list offers. */
export function Filter({ choices = [] }: { choices?: Choice[] }) {
  const { field, typed, put } = useTyped(queryOf(WORDS));
  const names = [WORDS, ...choices.map(({ name }) => name)];
  const isNarrowed = names.some((name) => queryOf(name) !== "");
  const clear = () => {
    put("");
    narrow(Object.fromEntries(names.map((name) => [name, ""])));
  };
  return (
    <search class="row filters">
      <label>
        <span>{t.filter.words}</span>
        <input
          ref={field}
          type="search"
          aria-keyshortcuts="/"
          placeholder={t.filter.hint}
          maxLength={200}
          onInput={typed}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || event.isComposing) return;
            event.preventDefault();
            if (isNarrowed || field.current?.value) clear();
            else focusContent();
          }}
        />
      </label>
      {choices.map((choice) => (
        <Select key={choice.name} {...choice} />
      ))}
      {isNarrowed && (
        <button
          type="button"
          onClick={() => {
            clear();
            // The button goes, and the keyboard stays with what it was for.
            field.current?.focus();
          }}
        >
          {t.filter.clear}
        </button>
      )}
    </search>
  );
}

interface FoundProps<T> {
  all: readonly T[];
  /** What words are looked for in. */
  textOf: (item: T) => string;
  /** Whether it passes what else was chosen. */
  passes?: (item: T) => boolean;
  count: (count: number) => string;
  children: (found: T[]) => ComponentChildren;
}

/** What of a list passes its {@link Filter}; says how much that is. */
export function Found<T>({ all, textOf, passes = () => true, count, children }: FoundProps<T>) {
  const words = queryOf(WORDS);
  const found = all.filter((item) => passes(item) && hasWords(textOf(item), words));
  return (
    <>
      <p class="dim small" role="status">
        {found.length === all.length ? count(all.length) : t.filter.of(count(found.length), all.length)}
      </p>
      {found.length > 0 || all.length === 0 ? children(found) : <p class="empty">{t.filter.none}</p>}
    </>
  );
}
