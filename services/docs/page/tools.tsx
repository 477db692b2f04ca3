/** @jsxImportSource preact */
/** The viewer's settings at the top of the page: colours and token. */
import { useContext, useState } from "preact/hooks";
import { Browser, type BrowserState } from "./browser-state.js";
import { readTheme, setTheme, THEMES } from "./theme.js";

export function Tools() {
  const browser = useContext(Browser);
  return (
    <div class="tools">
      {browser && <TokenField browser={browser} />}
      {browser && <ThemeChoice />}
    </div>
  );
}

function ThemeChoice() {
  const [theme, choose] = useState(readTheme);
  return (
    <select
      aria-label="Theme"
      value={theme}
      onChange={(event) => {
        const next = event.currentTarget.value;
        choose(next);
        setTheme(next);
      }}
    >
      {THEMES.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

function TokenField({ browser }: { browser: BrowserState }) {
  const { token, kept, setToken } = browser;
  return (
    <details class="token">
      <summary class="token-title">{token ? "Token set" : "Set token"}</summary>
      <div class="popover">
        <label>
          Your token
          <input
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value, kept)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={kept}
            onChange={(event) => setToken(token, event.currentTarget.checked)}
          />
          Keep until this tab is closed
        </label>
        <p class="dim">Sent only to this server, with the requests you try.</p>
      </div>
    </details>
  );
}
