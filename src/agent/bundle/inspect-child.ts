// Evaluates a bundle without an agent and writes one line of JSON for each service, before and after.
import type { Progress } from "./runtime/inspect.js";

interface Bundle {
  inspect(tell: (progress: Progress) => void): Promise<void>;
}

const { inspect } = (await import(process.argv[2] as string)) as Bundle;
await inspect((progress) => process.stdout.write(`${JSON.stringify(progress)}\n`));
process.exit(0);
