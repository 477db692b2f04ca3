// Evaluates a bundle without an agent and adds one line of JSON for each service, before and after, to a file.
import { appendFileSync } from "node:fs";
import type { Progress } from "./runtime/inspect.js";

interface Bundle {
  inspect(tell: (progress: Progress) => void): Promise<void>;
}

const [, , bundle = "", told = ""] = process.argv;
const { inspect } = (await import(bundle)) as Bundle;
// At once: the service that comes next may block or end the process.
await inspect((progress) => appendFileSync(told, `${JSON.stringify(progress)}\n`));
process.exit(0);
