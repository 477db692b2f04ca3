/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { strings as t } from "../../strings.js";

interface Props {
  label: string;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog of the platform: keeps the focus inside, closes with Escape and outside clicks, gives focus back. */
export function Dialog({ label, class: className = "", onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  // Before the next key arrives: what is typed belongs into the dialog.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement as HTMLElement | null;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it
    <dialog
      ref={ref}
      class={className}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="dialog">{children}</div>
    </dialog>
  );
}

/** The last row of a dialog that only tells something. */
export function CloseRow({ onClose }: { onClose: () => void }) {
  return (
    <div class="row end">
      <button type="button" onClick={onClose}>
        {t.common.close}
      </button>
    </div>
  );
}
