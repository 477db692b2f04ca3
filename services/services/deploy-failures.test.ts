import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { AUTHORIZED, type Managed, startManaged } from "../../tests/support/managed.js";
import { answering, type Files } from "../../tests/support/sandbox.js";
import { good, PASSING } from "./testing/subject.js";

let m: Managed;
const limit = process.env.REEF_TEST_TIMEOUT;

beforeAll(async () => {
  process.env.REEF_TEST_TIMEOUT = "60000";
  m = await startManaged(
    { "other/index.ts": answering("other", "other") },
    { config: readConfig({ REEF_DRAIN_TIMEOUT: "2000", REEF_INIT_TIMEOUT: "2000" }) },
  );
});
afterAll(async () => {
  if (limit === undefined) delete process.env.REEF_TEST_TIMEOUT;
  else process.env.REEF_TEST_TIMEOUT = limit;
  await m.end();
});

interface Step {
  step: string;
  status: string;
  detail?: string;
}

const folder = () => join(m.sandbox.servicesDir, "subject");
const put = (files: Files) => {
  for (const [path, source] of Object.entries(files)) m.sandbox.services({ [`subject/${path}`]: source });
};
const answer = async () => (await m.api("GET", "/subject")).data;

type Injection = { fails: string; because: string | RegExp; files: Files; after?: () => void };

const throughTests = (source: string): Files => ({ "index.ts": good("bad"), "subject.test.ts": source });

/** At least two ways for each step, each with what the report must say. */
const INJECTIONS: Record<string, Injection> = {
  "a syntax error": { fails: "validate", because: "index.ts:1", files: { "index.ts": "export default {" } },
  "a throw at import": {
    fails: "validate",
    because: "no such luck",
    files: { "index.ts": `throw new Error("no such luck");` },
  },
  "a missing package": {
    fails: "validate",
    because: "no-such-package",
    files: { "index.ts": `import "no-such-package"; ${good("bad")}` },
  },
  "a missing file": {
    fails: "validate",
    because: "./gone",
    files: { "index.ts": `import "./gone.js"; ${good("bad")}` },
  },
  "a top-level await that never settles": {
    fails: "validate",
    because: "did not finish",
    files: { "index.ts": good("bad", "", "await new Promise(() => {});") },
  },
  "an endless loop at import": {
    fails: "validate",
    because: "did not finish",
    files: { "index.ts": good("bad", "", "for (;;);") },
  },
  "process.exit at import": {
    fails: "validate",
    because: "exit",
    files: { "index.ts": good("bad", "", "process.exit(0);") },
  },
  "a process that kills itself": {
    fails: "validate",
    because: "ended the process",
    files: { "index.ts": good("bad", "", `process.kill(process.pid, "SIGKILL");`) },
  },
  "no default export": {
    fails: "validate",
    because: "default",
    files: { "index.ts": "export const name = 'subject';" },
  },
  "a field of the wrong type": {
    fails: "validate",
    because: "dependencies",
    files: { "index.ts": good("bad", `dependencies: "other",`) },
  },
  "a missing dependency": {
    fails: "validate",
    because: "nobody",
    files: { "index.ts": good("bad", `dependencies: ["nobody"],`) },
  },
  "another service's name": {
    fails: "validate",
    because: "already used by",
    files: { "index.ts": good("bad").replace('"subject"', '"other"') },
  },
  "an init that throws": {
    fails: "validate",
    because: "init() failed: not ready",
    files: { "index.ts": good("bad", `init() { throw new Error("not ready"); },`) },
  },
  "an init that rejects": {
    fails: "validate",
    because: "init() failed: not ready",
    files: { "index.ts": good("bad", `async init() { await 1; throw new Error("not ready"); },`) },
  },
  "an init that hangs": {
    fails: "validate",
    because: "did not finish",
    files: { "index.ts": good("bad", "init: () => new Promise(() => {}),") },
  },
  "an init that loops": {
    fails: "validate",
    because: "did not finish",
    files: { "index.ts": good("bad", "init() { for (;;); },") },
  },
  "a failing test": {
    fails: "test",
    because: "1 of 1 tests failed: is right",
    files: throughTests(
      `import { expect, test } from "bun:test"; test("is right", () => expect(1).toBe(2));`,
    ),
  },
  "a hanging test": {
    fails: "test",
    because: "did not finish within 1500 ms",
    files: throughTests(`import { test } from "bun:test"; test("hangs", () => { for (;;); });`),
  },
  "a test that ends its process": {
    fails: "test",
    because: "exited before its tests finished",
    files: throughTests(`import { test } from "bun:test"; test("leaves", () => process.exit(0));`),
  },
  "tests that are all skipped": {
    fails: "test",
    because: "no tests ran",
    files: throughTests(`import { test } from "bun:test"; test.skip("later", () => {});`),
  },
  "a test that changes the service while it is tested": {
    fails: "load",
    because: "changed during the check",
    files: throughTests(`import { test } from "bun:test"; import { appendFileSync } from "node:fs";
      test("edits", () => appendFileSync(import.meta.dir + "/index.ts", "// more"));`),
  },
  "an init that only fails where it is to serve": {
    fails: "load",
    because: "init() failed: elsewhere it worked",
    files: {
      "index.ts": good(
        "bad",
        `init() { if (!process.env.REEF_CHECKING) throw new Error("elsewhere it worked"); },`,
      ),
    },
  },
  "another name": {
    fails: "load",
    because: "was renamed from",
    files: { "index.ts": good("bad").replace('"subject"', '"renamed"') },
  },
  "a route that throws": {
    fails: "verify",
    because: "GET /broken returned 500",
    files: {
      "index.ts": good("bad", "", "").replace(
        "export default",
        `routes.get("/broken", () => { throw new Error("oh"); });\nexport default`,
      ),
    },
  },
  "a route that rejects": {
    fails: "verify",
    because: "GET /broken returned 500",
    files: {
      "index.ts": good("bad").replace(
        "export default",
        `routes.get("/broken", async () => { await 1; throw new Error("oh"); });\nexport default`,
      ),
    },
  },
  "a route that answers 503": {
    fails: "verify",
    because: "GET /broken returned 503",
    files: {
      "index.ts": good("bad").replace(
        "export default",
        `routes.get("/broken", (c) => c.json({ error: "later" }, 503));\nexport default`,
      ),
    },
  },
};

describe("a version that fails leaves the old one serving and all files as they are", () => {
  const git = (...args: string[]) => {
    const { stdout, success, stderr } = Bun.spawnSync(
      ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", ...args],
      { cwd: m.sandbox.servicesDir },
    );
    if (!success) throw new Error(stderr.toString());
    return stdout.toString();
  };

  beforeEach(async () => {
    rmSync(folder(), { recursive: true, force: true });
    put({ "index.ts": good("steady"), "subject.test.ts": PASSING });
    expect((await m.deploy("subject")).data.deployed).toBe(true);
  });

  beforeAll(() => {
    git("init", "-q");
  });

  for (const [what, { fails, because, files }] of Object.entries(INJECTIONS)) {
    test(`${what}: ${fails} fails`, async () => {
      put(files);
      git("add", "-A");
      git("commit", "-q", "--allow-empty", "-m", what);
      const before = (await m.api("GET", "/services/subject")).data;

      let deploying = true;
      const wrong: string[] = [];
      const client = async () => {
        while (deploying) {
          const response = await fetch(`${m.url}/subject`, { headers: AUTHORIZED });
          const text = await response.text();
          if (response.status !== 200 || text !== "steady") wrong.push(`${response.status} ${text}`);
          await Bun.sleep(2);
        }
      };
      const clients = [client(), client(), client()];
      if (what === "a hanging test") process.env.REEF_TEST_TIMEOUT = "1500";
      const { status, data } = await m.deploy("subject");
      process.env.REEF_TEST_TIMEOUT = "60000";
      deploying = false;
      await Promise.all(clients);

      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(data.deployed).toBe(false);
      const steps = data.steps as Step[];
      const at = steps.findIndex(({ step }) => step === fails);
      expect(steps.map(({ step }) => step)).toEqual(["validate", "test", "load", "verify"]);
      expect(steps[at]?.status).toBe("failed");
      expect(steps[at]?.detail).toMatch(because);
      expect(data.error).toStartWith(`${fails}: `);
      for (const step of steps.slice(0, at)) expect(step.status).not.toBe("failed");
      for (const step of steps.slice(at + 1)) expect(step.status).toBe("skipped");

      expect(wrong).toEqual([]);
      const after = (await m.api("GET", "/services/subject")).data;
      expect(after).toMatchObject({ state: "loaded", generation: before.generation, digest: before.digest });
      expect(after.ledger.timers).toBe(before.ledger.timers);
      const changed = git("status", "--porcelain");
      expect(changed).toBe(what.startsWith("a test that changes") ? " M subject/index.ts\n" : "");
    });
  }

  test("a store that cannot be saved: load fails", async () => {
    put({
      "index.ts": good(
        "steady",
        `store: { flush() { if (globalThis.failFlush) throw new Error("disk full"); } },`,
      ),
    });
    expect((await m.deploy("subject")).data.deployed).toBe(true);
    Object.assign(globalThis, { failFlush: true });
    put({ "index.ts": good("bad") });
    const { data } = await m.deploy("subject");
    Object.assign(globalThis, { failFlush: false });
    expect(data.error).toMatch(/^load: .*disk full/);
    expect(await answer()).toBe("steady");
  });

  test("the next good version deploys", async () => {
    put({ "index.ts": good("mended") });
    expect((await m.deploy("subject")).data.deployed).toBe(true);
    expect(await answer()).toBe("mended");
    expect((await m.api("GET", "/services/subject")).data.failure).toBeUndefined();
  });
});
