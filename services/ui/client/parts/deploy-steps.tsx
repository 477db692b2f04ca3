/** @jsxImportSource preact */
import { servicesStrings as w } from "../../strings/services.js";
import { millis } from "../format.js";
import { type Deploy, type DeployStep, STEPS, serves } from "../state/services.js";
import { Badge, Code, type Tone } from "./bits.js";

const TONES: Record<DeployStep["status"], Tone> = {
  running: "info",
  passed: "good",
  failed: "bad",
  skipped: "dim",
};

function Step({ name, step }: { name: string; step: DeployStep | undefined }) {
  return (
    <li class={step?.status ?? "waiting"}>
      <div class="row">
        <b>{name}</b>
        <Badge tone={step ? TONES[step.status] : "dim"}>{w.steps[step?.status ?? "waiting"]}</Badge>
        {step?.durationMs !== undefined && step.durationMs > 0 && (
          <span class="dim">{millis(step.durationMs)}</span>
        )}
        {step?.detail && !step.detail.includes("\n") && <span class="text">{step.detail}</span>}
      </div>
      {step?.detail?.includes("\n") && <Code text={step.detail} label={name} />}
    </li>
  );
}

/** A deploy's steps, as they are done, and what came of it. */
export function DeploySteps({ name, deploy: { steps, deployed, error } }: { name: string; deploy: Deploy }) {
  return (
    <div class="deploy" role="status" aria-live="polite" aria-label={w.deploy}>
      <ol class="steps">
        {STEPS.map((each) => (
          <Step key={each} name={each} step={steps.find(({ step }) => step === each)} />
        ))}
      </ol>
      {deployed === undefined && <p class="dim">{w.deploying}</p>}
      {deployed === true && <p class="good-text">{w.serving}</p>}
      {deployed === false && (
        <p class="bad-text">
          {error} {serves(name) && w.stillServing}
        </p>
      )}
    </div>
  );
}
