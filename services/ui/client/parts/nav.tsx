/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import { LISTED_PAGES } from "../../page-names.js";
import { strings as t } from "../../strings.js";
import { path, place, to } from "../router.js";
import { isLoaded, panels } from "../state/services.js";

export const DOCS = "/docs/ui";

function Item({ href, text }: { href: string; text: string }) {
  const here = path.value;
  const current = here === href || (href !== "/ui" && here.startsWith(`${href}/`));
  return (
    <li>
      <a href={href} aria-current={current ? "page" : undefined}>
        {text}
      </a>
    </li>
  );
}

/** Pages, and a tab for each service with a panel. */
export function Nav() {
  const list = panels.data.value;
  const nav = useRef<HTMLElement>(null);
  const here = place.value;
  // The list of pages may be wider than a narrow screen, and higher than any.
  useEffect(() => {
    const box = nav.current;
    const current = box?.querySelector<HTMLElement>("[aria-current]");
    if (!box || !current) return;
    box.scrollLeft = current.offsetLeft - box.clientWidth / 3;
    const below = current.offsetTop - box.scrollTop;
    if (below < 0 || below + current.offsetHeight > box.clientHeight)
      box.scrollTop = current.offsetTop - box.clientHeight / 3;
  }, [here, list]);
  return (
    <nav ref={nav} class="nav" aria-label={t.shell.menu}>
      <ul>
        {LISTED_PAGES.map(({ name, path }) => (
          <Item key={path} href={path} text={t.nav[name]} />
        ))}
        {isLoaded("docs") && (
          <li>
            <a href={DOCS} target="_blank" rel="noopener">
              {t.nav.docs} <span aria-hidden="true">↗</span>
            </a>
          </li>
        )}
      </ul>
      <h2 id="panels">{t.nav.panels}</h2>
      <ul aria-labelledby="panels">
        {list?.map(({ name }) => (
          <Item key={name} href={to("panels", name)} text={name} />
        ))}
        {list?.length === 0 && <li class="dim none">{t.nav.noPanels}</li>}
      </ul>
    </nav>
  );
}
