import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ERROR_DOCS, errorDocs } from "../scripts/error-docs.js";

const root = join(import.meta.dir, "..");
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const PAGES = ["README.md", "AGENTS.md", "CHANGELOG.md", ...guides.map((name) => `docs/${name}`)];
const read = (page: string) => readFileSync(join(root, page), "utf8");

test("docs/ERRORS.md lists the errors as they are; otherwise run: bun scripts/error-docs.ts", () => {
  expect(readFileSync(ERROR_DOCS, "utf8")).toBe(errorDocs());
});

describe.each(PAGES.map((page) => [page]))("%s", (page) => {
  test("links to files that exist", () => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link as string);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    const broken = local.filter((link) => !existsSync(resolve(root, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  test("names files that exist", () => {
    const paths = [
      ...read(page).matchAll(/`((?:src|services|tests|scripts|docs|bench|examples)\/[\w./-]+)`/g),
    ];
    // Import specifiers end in .js.
    const there = (path: string) =>
      [path, path.replace(/\.js$/, ".ts")].some((file) => existsSync(join(root, file)));
    const missing = paths.map(([, path]) => path as string).filter((path) => !there(path));
    expect(missing).toEqual([]);
  });
});

test("the map names every folder of src, every built-in service and every file of the core", () => {
  const [, map = ""] = read("docs/ARCHITECTURE.md").split("## Where is what");
  const entries = ["src", "src/core", "src/agent", "src/broker", "services"].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter(
        (entry) => entry.isDirectory() || (/^src(\/core)?$/.test(folder) && /^[^.]+\.ts$/.test(entry.name)),
      )
      .map(({ name }) => `${folder}/${name}`),
  );
  expect(entries.length).toBeGreaterThan(60);
  const named = (path: string) => map.includes(`\`${path}\``) || map.includes(`\`${path}/`);
  expect(entries.filter((path) => !named(path))).toEqual([]);
});

test("the README's first service is one that loads, and answers as it says", async () => {
  const { startReef } = await import("./support/sandbox.js");
  const source = /```ts\n([\s\S]*?)```/.exec(read("README.md"))?.[1] as string;
  const path = /^\/\/ services\/(\w+\/index\.ts)\n/.exec(source)?.[1] as string;
  const reef = await startReef({ [path]: source });
  expect(reef.registry.failures.list()).toEqual([]);
  expect(await (await reef.call("/hello/ada")).json()).toEqual({ text: "Hello, ada!", greeted: 1 });
  await reef.end();
});

test("the README names every setting", () => {
  const settings = [
    ...readFileSync(join(root, "src/core/config.ts"), "utf8").matchAll(/^ {2,3}\/?\*+ .*?`([A-Z][A-Z_]+)`/gm),
  ];
  const names = settings.map(([, name]) => name as string);
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !read("README.md").includes(`\`${name}\``))).toEqual([]);
});
