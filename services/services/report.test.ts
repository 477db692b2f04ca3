import { expect, test } from "bun:test";
import { StepRecorder } from "./report.js";

test("a version that is started and verified again, since its store was used meanwhile, makes one step of each", () => {
  const told: string[] = [];
  const recorder = new StepRecorder((step, status) => void told.push(`${step} ${status}`));
  for (const step of ["validate", "test"] as const) {
    recorder.begin(step);
    recorder.end("passed");
  }
  recorder.begin("load");
  for (let time = 0; time < 3; time++) recorder.passTo("verify", "it was started");
  expect(recorder.fail("no answer")).toBe("verify: no answer");
  expect(recorder.steps.map(({ step, status, detail }) => [step, status, detail])).toEqual([
    ["validate", "passed", undefined],
    ["test", "passed", undefined],
    ["load", "passed", "it was started"],
    ["verify", "failed", "no answer"],
  ]);
  expect(told.slice(4)).toEqual(["load running", "load passed", "verify running", "verify failed"]);
});

test("a step that passed and failed when it was done again has failed, and what came after it is skipped", () => {
  const recorder = new StepRecorder(() => undefined);
  for (const step of ["validate", "test"] as const) {
    recorder.begin(step);
    recorder.end("passed");
  }
  recorder.reopen("load");
  recorder.begin("load");
  recorder.passTo("verify", "it was started");
  recorder.reopen("load");
  expect(recorder.fail("init() failed")).toBe("load: init() failed");
  expect(recorder.steps.map(({ step, status }) => `${step} ${status}`)).toEqual([
    "validate passed",
    "test passed",
    "load failed",
    "verify skipped",
  ]);
});
