/** @jsxImportSource preact */
import { signal } from "@preact/signals";
import { strings as t } from "../../strings.js";
import { clock } from "../format.js";
import { dismiss, type Notice, notices } from "../state/notices.js";
import { CloseRow, Dialog } from "./dialog.js";

export const messagesOpen = signal(false);

/** What is longer may have to be scrolled, with the keyboard too. */
const SHORT = 100;

const Text = ({ notice, scrolls }: { notice: Notice; scrolls?: boolean }) => (
  <span class="text" tabIndex={scrolls ? 0 : undefined}>
    {notice.from && <b>{notice.from}: </b>}
    {notice.text}
  </span>
);

/** What has just been said, above everything else on the page. */
export function Toasts() {
  const shown = notices.value.filter((notice) => notice.shown).slice(0, 4);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((notice) => (
        <div key={notice.id} class={`toast ${notice.kind}`}>
          <Text notice={notice} scrolls={notice.text.length > SHORT} />
          <button
            type="button"
            class="quiet"
            aria-label={t.common.dismiss}
            onClick={() => dismiss(notice.id)}
          >
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

/** Everything that has been said, to be read again. */
export function Messages() {
  if (!messagesOpen.value) return null;
  const close = () => {
    messagesOpen.value = false;
  };
  return (
    <Dialog label={t.shell.messages} onClose={close}>
      <h2>{t.shell.messages}</h2>
      {notices.value.length === 0 && <p class="dim">{t.common.noMessages}</p>}
      <ul class="messages">
        {notices.value.map((notice) => (
          <li key={notice.id} class={notice.kind}>
            <time dateTime={notice.at} class="dim">
              {clock(notice.at)}
            </time>
            <Text notice={notice} />
          </li>
        ))}
      </ul>
      <CloseRow onClose={close} />
    </Dialog>
  );
}
