import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";
import { foreignImports } from "./foreign-imports.js";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());

test("imports of other services' code are named, each with its file and how it is written", async () => {
  sandbox.services({
    "ledger/index.ts": "",
    "ledger/lib/store.ts": "export const ledger = 1;",
    "shop/index.ts":
      'import { ledger } from "../ledger/lib/store.js"; export { x } from "./routes.js"; ledger;',
    "shop/routes.tsx": 'export const x = async () => <a>{(await import("../ledger/index.js")).default}</a>;',
    "shop/lib/deep.js":
      'const { ledger } = require("../../ledger/lib/store"); module.exports = <a>{ledger}</a>;',
  });
  const found = await foreignImports(join(sandbox.servicesDir, "shop"));
  expect(found.map((warning) => warning.split(" and gets", 1)[0])).toEqual([
    'index.ts imports "../ledger/lib/store.js"',
    'lib/deep.js imports "../../ledger/lib/store"',
    'routes.tsx imports "../ledger/index.js"',
  ]);
  expect(found[0]).toContain('the service in "ledger"');
});

test("types, tests, own files, packages, Reef's own source and folders that are no services are not", async () => {
  sandbox.services({
    "ledger/index.ts": "",
    "common/util.ts": "export const util = 1;",
    "shop/index.ts": `import type { Ledger } from "../ledger/index.js";
      import { type Entry } from "../ledger/index.js";
      import { util } from "../common/util.js";
      import { Type } from "@sinclair/typebox";
      import type { ServiceModule } from "../src/core/types.js";
      import { readBody } from "../../src/core/validate.js";
      import { own } from "./lib/own.js";
      export default { util, Type, readBody, own, say: "../ledger/index.js" } as Ledger & Entry & ServiceModule;`,
    "shop/lib/own.ts": 'import other from "../lib/other.js"; export const own = other;',
    "shop/lib/other.ts": "export default 1;",
    "shop/templates/new.ts": 'import {<%= name %>} from "../../ledger/index.js";',
    "shop/lib/typed.ts":
      'import { Ledger } from "../../ledger/index.js"; export const of = (ledger: Ledger) => ledger;',
    "shop/shop.test.ts": 'import ledger from "../ledger/index.js"; ledger;',
    "shop/shop_test.ts": 'import ledger from "../ledger/index.js"; ledger;',
  });
  expect(await foreignImports(join(sandbox.servicesDir, "shop"))).toEqual([]);
});
