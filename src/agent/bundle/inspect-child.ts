/** The child process that evaluates a bundle. It appends one JSON line before and after each service to a file. */
import { appendFileSync } from "node:fs";
import type { Progress } from "./runtime/inspect.js";

interface Bundle {
  inspect(tell: (progress: Progress) => void): Promise<void>;
}

const [, , bundle = "", report = ""] = process.argv;
const { inspect } = (await import(bundle)) as Bundle;
// Written synchronously: the next service may block or end the process.
await inspect((progress) => appendFileSync(report, `${JSON.stringify(progress)}\n`));
process.exit(0);
