/** @jsxImportSource preact */
import { signal } from "@preact/signals";
import { LISTED_PAGES } from "../../page-names.js";
import { strings as t } from "../../strings.js";
import { CloseRow, Dialog } from "./dialog.js";

export const helpOpen = signal(false);

export function Help() {
  if (!helpOpen.value) return null;
  const close = () => {
    helpOpen.value = false;
  };
  const keys: Array<[string[], string]> = [
    [["⌘K"], t.help.open],
    [["?"], t.help.help],
    [["/"], t.help.find],
    [["Esc"], t.help.clear],
    [["t"], t.help.theme],
    ...LISTED_PAGES.map(({ name, key }): [string[], string] => [["g", key], t.help.go(t.nav[name])]),
    [["↑", "↓"], t.help.move],
    [["←", "→"], t.help.fold],
    [["↵"], t.help.enter],
  ];
  return (
    <Dialog label={t.help.title} class="narrow" onClose={close}>
      <h2>{t.help.title}</h2>
      <dl class="keys">
        {keys.map(([names, text]) => (
          <div key={text}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <CloseRow onClose={close} />
    </Dialog>
  );
}
