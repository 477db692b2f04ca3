/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import { byHand } from "../state/by-hand.js";
import { CloseRow, Dialog } from "./dialog.js";

/** Shows a text that is to be copied by hand, chosen from its beginning to its end. */
export function ByHand() {
  const text = byHand.value;
  if (text === undefined) return null;
  const close = () => {
    byHand.value = undefined;
  };
  return (
    <Dialog label={t.common.byHand} onClose={close}>
      <h2>{t.common.byHand}</h2>
      <textarea
        readOnly
        autofocus
        rows={5}
        aria-label={t.common.byHand}
        value={text}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <CloseRow onClose={close} />
    </Dialog>
  );
}
