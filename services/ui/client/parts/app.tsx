/** @jsxImportSource preact */
import { Component, type ComponentChildren } from "preact";
import { strings as t } from "../../strings.js";
import { messageOf, sessionOver } from "../api.js";
import { path, place } from "../router.js";
import { nextTheme, theme } from "../state/theme.js";
import { Problem } from "./bits.js";
import { ByHand } from "./by-hand.js";
import { Confirm } from "./confirm.js";
import { Going } from "./going.js";
import { Help } from "./help.js";
import { LinkState, Stale } from "./link-state.js";
import { Nav } from "./nav.js";
import { Messages, messagesOpen, Toasts } from "./notices.js";
import { Page } from "./page.js";
import { Palette, paletteOpen } from "./palette.js";

const GLYPHS = { auto: "◐", light: "☀", dark: "☾" };

function Top() {
  return (
    <header class="top">
      <a href="#content" class="skip">
        {t.shell.skip}
      </a>
      <a href="/ui" class="brand">
        {t.shell.title}
      </a>
      <LinkState />
      <div class="row end">
        <button
          type="button"
          class="search"
          aria-keyshortcuts="Meta+K Control+K"
          onClick={() => {
            paletteOpen.value = true;
          }}
        >
          {t.shell.search} <kbd>⌘K</kbd>
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={t.shell.messages}
          title={t.shell.messages}
          onClick={() => {
            messagesOpen.value = true;
          }}
        >
          ✉
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={t.shell.theme[theme.value]}
          title={t.shell.theme[theme.value]}
          onClick={nextTheme}
        >
          {GLYPHS[theme.value]}
        </button>
        <form method="post" action="/ui/logout">
          <button type="submit" class="quiet">
            {t.shell.logOut}
          </button>
        </form>
      </div>
      <Going />
    </header>
  );
}

/** Keeps the error of one page from taking the dashboard down; another page gets another try. */
class Boundary extends Component<
  { at: string; children: ComponentChildren },
  { error?: unknown; at?: string }
> {
  override state: { error?: unknown; at?: string } = {};

  override componentDidCatch(error: unknown): void {
    console.error("the page failed:", messageOf(error), error);
    this.setState({ error, at: this.props.at });
  }

  override render() {
    const { error, at } = this.state;
    if (error !== undefined && at === this.props.at) {
      return <Problem error={error} retry={() => this.setState({ error: undefined })} />;
    }
    return this.props.children;
  }
}

export function App() {
  return (
    <>
      <Top />
      <div class="body">
        <Nav />
        <main id="content" tabIndex={-1}>
          {sessionOver.value && (
            <p class="problem" role="alert">
              {t.shell.sessionOver}{" "}
              <a href={`/ui/login?next=${encodeURIComponent(place.value)}`} target="_self">
                {t.shell.logIn}
              </a>
            </p>
          )}
          <Stale />
          <Boundary at={path.value}>
            <Page />
          </Boundary>
        </main>
      </div>
      <Palette />
      <Help />
      <Messages />
      <Confirm />
      <ByHand />
      <Toasts />
    </>
  );
}
