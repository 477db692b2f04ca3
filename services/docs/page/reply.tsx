/** @jsxImportSource preact */
/** The reply to a request that was tried. */
import { Code, Fold } from "./parts.js";
import type { Outcome } from "./send.js";

export function Reply({ outcome }: { outcome: Outcome | undefined }) {
  if (!outcome) return <div role="status" class="outcome" />;
  const { state, status, statusText, milliseconds, headers = [], text, note } = outcome;
  return (
    <div class="outcome">
      <p role="status">
        {state === "sending" && "Sending…"}
        {status !== undefined && (
          <>
            <span class={`status status-${String(status)[0]}`}>{status || "–"}</span> {statusText}{" "}
            <span class="dim">after {milliseconds} ms</span>
          </>
        )}
        {state === "streaming" && <span class="dim"> · receiving</span>}
        {note && <span class={state === "failed" ? "problem" : "dim"}> {note}</span>}
      </p>
      {text && <Code text={text} label="Response body" />}
      {headers.length > 0 && (
        <Fold title="Response headers">
          <Code
            text={headers.map(([name, value]) => `${name}: ${value}`).join("\n")}
            label="Response headers"
          />
        </Fold>
      )}
    </div>
  );
}
