/** @jsxImportSource preact */
/** The page. The server renders it once per state of the services; in the browser it comes alive. */
import { useMemo, useRef, useState } from "preact/hooks";
import type { Docs } from "../model.js";
import { Method, plural } from "./parts.js";
import { search } from "./search.js";
import { Server, Service, Skipped } from "./service.js";
import { Tools } from "./tools.js";

interface AppProps {
  docs: Docs;
  /** What to say about the connection when it is lost. */
  trouble?: string;
}

export function App({ docs, trouble }: AppProps) {
  const [query, setQuery] = useState("");
  const nav = useRef<HTMLElement>(null);
  const found = useMemo(() => search(docs, query), [docs, query]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header>
        <p class="brand">
          Reef <span class="dim">API</span>
        </p>
        <search>
          <input
            id="search"
            type="search"
            aria-label="Search the documentation"
            placeholder="Search   /"
            autocomplete="off"
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") setQuery("");
              if (event.key === "ArrowDown") nav.current?.querySelector("a")?.focus();
            }}
          />
        </search>
        <Tools />
      </header>
      <nav aria-label="Services" ref={nav}>
        <p role="status" class="dim">
          {query ? plural(found.matches, "match", "matches") : plural(docs.count, "service")}
        </p>
        <Contents docs={found.docs} expanded={query !== ""} />
      </nav>
      <main id="main" tabIndex={-1}>
        <h1>API documentation</h1>
        <p class="dim intro">
          Generated from the running services and always current. Also as <a href="/docs">JSON</a> and as{" "}
          <a href="/docs/openapi.json">OpenAPI 3.1</a>.
        </p>
        {trouble && (
          <p class="problem" role="alert">
            {trouble}
          </p>
        )}
        {found.docs.services.map((service) => (
          <Service key={service.name} service={service} />
        ))}
        <Server server={found.docs.server} />
        <Skipped skipped={found.docs.skipped} />
        {found.matches === 0 && query !== "" && (
          <p class="empty">
            No matches for “{query}”.{" "}
            <button type="button" class="link" onClick={() => setQuery("")}>
              Clear search
            </button>
          </p>
        )}
      </main>
    </>
  );
}

/** Links to the services; while somebody searches, to the routes as well. */
function Contents({ docs, expanded }: { docs: Docs; expanded: boolean }) {
  const groups = [
    ...docs.services.map(({ name, routes }) => ({ name, routes })),
    { name: "server", routes: docs.server.routes },
  ].filter(({ name, routes }) => name !== "server" || routes.length > 0);
  return (
    <ul>
      {groups.map(({ name, routes }) => (
        <li key={name}>
          <a href={`#service/${encodeURI(name)}`}>
            {name} <span class="dim">{routes.length || ""}</span>
          </a>
          {expanded && routes.length > 0 && (
            <ul>
              {routes.map((route) => (
                <li key={route.id}>
                  <a href={`#${encodeURI(route.id)}`}>
                    <Method method={route.method} /> <code>{route.path}</code>
                  </a>
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
      {docs.skipped.length > 0 && (
        <li>
          <a href="#skipped">
            Not loaded <span class="dim">{docs.skipped.length}</span>
          </a>
        </li>
      )}
    </ul>
  );
}
