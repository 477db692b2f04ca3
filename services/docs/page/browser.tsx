/** @jsxImportSource preact */
/** Brings the page to life: settings, deep links, and the latest state of the services. */
import { hydrate, render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Docs } from "../model.js";
import { App } from "./app.js";
import { Browser, type BrowserState } from "./browser-state.js";
import { type Feed, followDocs, loadDocs } from "./follow.js";
import { goToHash, installShortcuts, openRoute } from "./place.js";
import { applyTheme, readTheme } from "./theme.js";
import { keepToken, keptToken } from "./token.js";

function Page({ first }: { first: Docs }) {
  const [feed, setFeed] = useState<Feed>({ docs: first });
  const [token, setToken] = useState("");
  const [kept, setKept] = useState(false);
  // What the server rendered knows no browser; it joins after the first paint.
  const [alive, setAlive] = useState(false);
  useEffect(() => {
    const known = keptToken();
    setToken(known);
    setKept(known !== "");
    setAlive(true);
    return followDocs(setFeed);
  }, []);
  useEffect(() => {
    if (alive) return installShortcuts();
  }, [alive]);
  const browser = useMemo<BrowserState>(
    () => ({
      token,
      kept,
      setToken: (next, keep) => {
        setToken(next);
        setKept(keep);
        keepToken(keep ? next : "");
      },
      askForToken: () => {
        const box = document.querySelector<HTMLDetailsElement>("details.token");
        if (box) box.open = true;
        document.getElementById("token")?.focus();
      },
      visit: openRoute,
    }),
    [token, kept],
  );
  return (
    <Browser.Provider value={alive ? browser : undefined}>
      <App docs={feed.docs} trouble={feed.trouble} />
    </Browser.Provider>
  );
}

applyTheme(readTheme());
const root = document.getElementById("app") as HTMLElement;
const { docs, version } = await loadDocs();
if (version === root.dataset.version) hydrate(<Page first={docs} />, root);
else {
  root.replaceChildren();
  render(<Page first={docs} />, root);
}
goToHash();
