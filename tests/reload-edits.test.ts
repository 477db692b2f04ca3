/** Whatever is edited in a service, the next reload answers with it. `REEF_EDIT_ROUNDS` and `REEF_EDIT_SEED` vary it. */
import { expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Random } from "./support/random.js";
import { startReef } from "./support/sandbox.js";

const ROUNDS = Number(process.env.REEF_EDIT_ROUNDS ?? 60);
const SEED = Number(process.env.REEF_EDIT_SEED ?? Date.now() % 100_000);

type Kind = "ts" | "json" | "txt";

/** One imported file of the service and the value it holds. */
interface Part {
  path: string;
  kind: Kind;
  value: string;
  /** Imported when it is asked for. */
  lazy: boolean;
}

const DIRS = ["", "lib/", "lib/deep/"];

function contentOf({ kind, value }: Part): string {
  if (kind === "ts") return `const value: string = ${JSON.stringify(value)};\nexport default value;\n`;
  return kind === "json" ? JSON.stringify({ value }) : value;
}

/** The entry that imports all parts and answers with their values. */
function entry(parts: readonly Part[]): string {
  const specifier = ({ path, kind }: Part) =>
    JSON.stringify(`./${kind === "ts" ? path.replace(/\.ts$/, ".js") : path}`);
  const type = ({ kind }: Part) => `{ type: "${kind === "txt" ? "text" : "json"}" }`;
  const imports = parts.flatMap((part, n) =>
    part.lazy
      ? []
      : [`import p${n} from ${specifier(part)}${part.kind === "ts" ? "" : ` with ${type(part)}`};`],
  );
  const values = parts.map((part, n) => {
    const module = part.lazy
      ? `(await import(${specifier(part)}${part.kind === "ts" ? "" : `, { with: ${type(part)} }`})).default`
      : `p${n}`;
    return `[${JSON.stringify(part.path)}, ${part.kind === "json" ? `${module}.value` : module}]`;
  });
  return `import { Hono } from "hono";
${imports.join("\n")}
const routes = new Hono();
routes.get("/", async (c) => c.json(Object.fromEntries([${values.join(", ")}])));
export default { name: "edited", routes };
`;
}

test(`random edits show after a reload (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  let names = 0;
  const value = () => `${random.below(1e9)} é "quoted" \\ ${"x".repeat(random.below(40))}`;
  const newPart = (): Part => {
    const kind = random.pick<Kind>(["ts", "json", "txt"]);
    const path = `${random.pick(DIRS)}part${names++}.${kind}`;
    return { path, kind, value: value(), lazy: random.below(4) === 0 };
  };
  const reef = await startReef({});
  const dir = join(reef.sandbox.servicesDir, "edited");
  let parts = Array.from({ length: 4 }, newPart);
  const write = (part: Part) => reef.sandbox.services({ [`edited/${part.path}`]: contentOf(part) });
  const writeEntry = () => reef.sandbox.services({ "edited/index.ts": entry(parts) });
  parts.forEach(write);
  writeEntry();
  await reef.ctx.registry.load("edited");

  const edits: Record<string, () => void> = {
    change: () => {
      const part = random.pick(parts);
      part.value = value();
      write(part);
    },
    "change to the same length": () => {
      const part = random.pick(parts);
      part.value = [...part.value].reverse().join("");
      write(part);
    },
    add: () => {
      const part = newPart();
      parts.push(part);
      write(part);
      writeEntry();
    },
    delete: () => {
      if (parts.length < 2) return;
      const gone = random.pick(parts);
      parts = parts.filter((part) => part !== gone);
      rmSync(join(dir, gone.path));
      writeEntry();
    },
    rename: () => {
      const part = random.pick(parts);
      const path = part.path.replace(/[^/]*$/, `renamed${names++}.${part.kind}`);
      renameSync(join(dir, part.path), join(dir, path));
      part.path = path;
      writeEntry();
    },
    "swap two": () => {
      const same = parts.filter(({ kind }) => kind === parts[0]?.kind);
      const [a, b] = [random.pick(same), random.pick(same)];
      [a.value, b.value] = [b.value, a.value];
      write(a);
      write(b);
    },
  };

  for (let round = 0; round < ROUNDS; round++) {
    const made = Array.from({ length: 1 + random.below(3) }, () => random.pick(Object.keys(edits)));
    const before = JSON.stringify(parts);
    for (const edit of made) edits[edit]?.();
    const { results, errors } = await reef.ctx.registry.sync();
    const context = `round ${round}: ${made.join(", ")}`;
    expect({ context, errors }).toEqual({ context, errors: [] });
    if (JSON.stringify(parts) !== before)
      expect({ context, changed: results.length }).toEqual({ context, changed: 1 });
    const expected = Object.fromEntries(parts.map(({ path, value }) => [path, value]));
    const answer = JSON.parse(await reef.text("/edited"));
    expect({ context, answer }).toEqual({ context, answer: expected });
  }
  await reef.end();
}, 600_000);
