/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import type { Service } from "../state/services.js";
import { Badge, type Tone } from "./bits.js";

const TONES: Record<Service["state"], Tone> = {
  loaded: "good",
  loading: "info",
  failed: "bad",
  disabled: "dim",
};

/** How a service is, in a word or two. */
export function StateBadge({ service: { state, failure } }: { service: Service }) {
  return (
    <>
      <Badge tone={TONES[state]}>{t.common.states[state]}</Badge>
      {state === "loaded" && failure && <Badge tone="warn">{t.common.failedChange}</Badge>}
    </>
  );
}
