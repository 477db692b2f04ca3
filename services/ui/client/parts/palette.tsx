/** @jsxImportSource preact */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { type Command, commands, loadCommands } from "../commands.js";
import { score } from "../fuzzy.js";
import { Dialog } from "./dialog.js";

export const paletteOpen = signal(false);

const SHOWN = 12;
/** Of two that fit alike, what belongs to the dashboard itself comes first. */
const WEIGHTS: Partial<Record<Command["kind"], number>> = { page: 40, panel: 30, service: 30, action: 20 };

function find(typed: string): Command[] {
  if (typed.trim() === "") return commands().slice(0, SHOWN);
  return commands()
    .flatMap((command) => {
      const own = score(typed, command.text);
      const more = command.more === undefined ? undefined : score(typed, command.more);
      // What is found only in the description comes after what is found in the name.
      const best = own ?? (more !== undefined && more > 400 ? more - 1000 : undefined);
      return best === undefined ? [] : [{ command, best: best + (WEIGHTS[command.kind] ?? 0) }];
    })
    .toSorted((a, b) => b.best - a.best)
    .slice(0, SHOWN)
    .map(({ command }) => command);
}

/** One field to go anywhere and do anything. */
export function Palette() {
  return paletteOpen.value ? <Open /> : null;
}

function Open() {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  useEffect(loadCommands, []);
  const found = find(typed);
  const chosen = Math.min(at, found.length - 1);
  const close = () => {
    paletteOpen.value = false;
  };
  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    // After the dialog has given the focus back.
    setTimeout(() => command.run());
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) setAt((chosen + step + found.length) % found.length);
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label={t.palette.title} class="palette" onClose={close}>
      <input
        type="text"
        role="combobox"
        autofocus
        autocomplete="off"
        spellcheck={false}
        placeholder={t.palette.placeholder}
        aria-label={t.palette.title}
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={chosen >= 0 ? `found-${chosen}` : undefined}
        value={typed}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div id="found" role="listbox" aria-label={t.palette.title}>
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={`${command.kind} ${command.text}`}
            id={`found-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => run(command)}
          >
            <span class="kind">{t.palette.kinds[command.kind]}</span>
            <span>{command.text}</span>
            {command.more && <span class="dim">{command.more}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p class="dim" role="status">
          {t.palette.empty}
        </p>
      )}
    </Dialog>
  );
}
