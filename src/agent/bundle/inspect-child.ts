// Evaluates a bundle without an agent and writes one line of JSON for each service, before and after.
import type { UnitReport } from "./runtime/loader.js";

interface Bundle {
  inspect(tell: (report: UnitReport | { begin: string }) => void): Promise<void>;
}

const { inspect } = (await import(process.argv[2] as string)) as Bundle;
await inspect((report) => process.stdout.write(`${JSON.stringify(report)}\n`));
process.exit(0);
