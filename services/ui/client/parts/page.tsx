/** @jsxImportSource preact */
/** The page that belongs to the address. */
import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { pageAt } from "../../page-names.js";
import { strings as t } from "../../strings.js";
import { codeOf } from "../page-code.js";
import { failure, path, segments } from "../router.js";
import { Heading, Loading } from "./bits.js";

const NoPage = () => (
  <>
    <Heading title={t.common.unknownPage} />
    <p>
      {t.common.unknownPageHint} <a href="/ui">{t.nav.overview}</a>
    </p>
  </>
);

/** What a page is called, by the parts of its address. */
export function nameOf([page, ...rest]: readonly string[]): string {
  const key = page ?? "overview";
  const own = Object.hasOwn(t.nav, key) ? t.nav[key as keyof typeof t.nav] : undefined;
  const [name, ...method] = rest;
  const what = page === "broker" && method.length > 0 ? method.join(".") : name;
  return [what, page === "panels" ? undefined : own].filter(Boolean).join(" · ");
}

export function Page() {
  const parts = segments.value;
  useEffect(() => {
    // What the tab of the browser says.
    document.title = [nameOf(parts), t.shell.title].filter(Boolean).join(" · ");
  }, [parts]);
  // Not again when the code of another page has come.
  const make = useComputed(() => {
    const page = pageAt(path.value);
    return page === undefined ? () => <NoPage /> : codeOf(page);
  }).value;
  if (make) return make(parts);
  return failure.value ? null : <Loading />;
}
