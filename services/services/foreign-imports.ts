/** What a service imports from the folders of others: a test has one module of it, the server one for each service. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { codeFiles } from "../../src/core/code-files.js";

const LOADERS: Record<string, "ts" | "tsx" | "js" | "jsx"> = {
  ".ts": "ts",
  ".mts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".jsx": "jsx",
};

const TEST = /\.(test|spec)\.[a-z]+$/;

/** One warning for each import of another service's code, types excepted; `dir` is the real path of the folder. */
export function foreignImports(dir: string): string[] {
  const warnings: string[] = [];
  for (const file of codeFiles(dir)) {
    const loader = LOADERS[extname(file)];
    if (!loader || TEST.test(file)) continue;
    const source = readFileSync(join(dir, file), "utf8");
    // Most files lead nowhere, and reading them costs less than taking them apart.
    if (!source.includes("../")) continue;
    for (const { path } of new Bun.Transpiler({ loader }).scanImports(source)) {
      const owner = path.startsWith(".") ? ownerOf(join(dir, dirname(file), path), dir) : undefined;
      if (owner === undefined) continue;
      warnings.push(
        `${file} imports "${path}" and gets a copy of it, not the one that serves; ctx.getStore reaches the store of the service in "${owner}"`,
      );
    }
  }
  return warnings;
}

/** The folder of the service beside `dir` that a file belongs to, if it is another's. */
function ownerOf(path: string, dir: string): string | undefined {
  const parent = dirname(dir);
  const [folder = ""] = relative(parent, path).split(sep);
  if (folder === ".." || folder === basename(dir)) return undefined;
  return existsSync(join(parent, folder, "index.ts")) ? folder : undefined;
}
