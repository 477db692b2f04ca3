/** What a service imports from the folders of others: a test has one module of it, the server one for each service. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { codeFiles } from "../../src/core/code/code-files.js";
import { messageOf } from "../../src/core/errors.js";
import { yieldToEventLoop } from "../../src/core/event-loop.js";
import { TEST_FILE } from "../../src/core/test-files.js";

/** As Bun reads them: it takes JSX in all JavaScript. */
const LOADERS: Record<string, "ts" | "tsx" | "jsx"> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "jsx",
  ".mjs": "jsx",
  ".cjs": "jsx",
  ".jsx": "jsx",
};

/** One warning for each import of another service's code, types excepted; `dir` is the real path of the folder. */
export async function foreignImports(dir: string): Promise<string[]> {
  const warnings: string[] = [];
  for (const file of codeFiles(dir)) {
    const loader = LOADERS[extname(file)];
    if (!loader || TEST_FILE.test(file)) continue;
    await yieldToEventLoop();
    for (const path of importsOf(join(dir, file), loader)) {
      const owner = path.startsWith(".") ? ownerOf(join(dir, dirname(file), path), dir) : undefined;
      if (owner === undefined) continue;
      warnings.push(
        `${file} imports "${path}" and gets its own copy, not the running one; use ctx.getStore for the store of the service in "${owner}"`,
      );
    }
  }
  return warnings;
}

function importsOf(file: string, loader: (typeof LOADERS)[string]): string[] {
  try {
    const source = readFileSync(file, "utf8");
    // Most files lead nowhere, and reading them costs less than taking them apart.
    if (!source.includes("../")) return [];
    return new Bun.Transpiler({ loader, trimUnusedImports: true })
      .scanImports(source)
      .map(({ path }) => path);
  } catch (error) {
    // A template, for instance, that nobody imports: what is run has been found to be right.
    console.debug(`cannot parse ${file}: ${messageOf(error)}`);
    return [];
  }
}

/** The folder of the service beside `dir` that a file belongs to, if it is another's. */
function ownerOf(path: string, dir: string): string | undefined {
  const parent = dirname(dir);
  const [folder = ""] = relative(parent, path).split(sep);
  if (folder === ".." || folder === basename(dir)) return undefined;
  return existsSync(join(parent, folder, "index.ts")) ? folder : undefined;
}
