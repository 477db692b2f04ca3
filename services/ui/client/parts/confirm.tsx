/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import { question } from "../state/confirm.js";
import { Dialog } from "./dialog.js";

/** The question that is open, if there is one. */
export function Confirm() {
  const asked = question.value;
  if (!asked) return null;
  return (
    <Dialog label={asked.title} class="narrow" onClose={() => asked.answer(false)}>
      <h2>{asked.title}</h2>
      {asked.about !== undefined && (
        <p>
          <code>{asked.about}</code>
        </p>
      )}
      <p>{asked.text}</p>
      <div class="row end">
        <button type="button" autofocus onClick={() => asked.answer(false)}>
          {t.common.cancel}
        </button>
        <button type="button" class="danger" onClick={() => asked.answer(true)}>
          {asked.verb}
        </button>
      </div>
    </Dialog>
  );
}
