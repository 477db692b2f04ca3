import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { TOKEN } from "../support/sandbox.js";
import { runPi, runSession } from "./agents.js";
import { CONTROL_PLANES, type ControlPlane } from "./control-planes.js";
import { startModelServer } from "./model-server.js";
import { probeService } from "./probe-service.js";
import { startReef, type TestReef } from "./reef.js";

const skillsDir = resolve(import.meta.dir, "..", "..", "skills");

let reef: TestReef;
let scratch: string;
beforeAll(async () => {
  const folders = ["services/agent", "services/pi", "services/services", "examples/services/board"];
  reef = await startReef(folders, { "probe/index.ts": probeService(1) });
  scratch = mkdtempSync(join(tmpdir(), "reef-package-"));
});
afterAll(async () => {
  await reef.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const repository = (password: string) => `${reef.url.replace("://", `://reef:${password}@`)}/pi/reef.git`;

async function clone(password: string, target: string): Promise<number> {
  const child = Bun.spawn(["git", "clone", "-q", repository(password), target], {
    env: { PATH: process.env.PATH, HOME: scratch, GIT_TERMINAL_PROMPT: "0" },
    stdin: "ignore",
    stderr: "ignore",
  });
  return child.exited;
}

describe("the package", () => {
  test("is a git repository for those who have the token", async () => {
    const target = join(scratch, "clone");
    expect(await clone(TOKEN, target)).toBe(0);
    const skills = readdirSync(skillsDir).filter((name) => existsSync(join(skillsDir, name, "SKILL.md")));
    for (const name of skills) {
      const cloned = await Bun.file(join(target, "skills", name, "SKILL.md")).text();
      expect(cloned).toBe(await Bun.file(join(skillsDir, name, "SKILL.md")).text());
    }
    expect(skills.length).toBeGreaterThan(1);
    expect(await clone("wrong", join(scratch, "refused"))).not.toBe(0);
    expect((await fetch(`${reef.url}/pi/reef.git/info/refs`)).status).toBe(401);
  });

  test("pi installs it, and then has the tools and the skills", async () => {
    const model = startModelServer({ name: "board_create_task", arguments: { title: "Installed" } });
    try {
      const { code, stdout } = await runPi("node", { install: repository(TOKEN) }, model.url, reef.env);
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "All done." });
      expect(model.results.join()).toContain("Installed");
      expect(model.prompts[0]).toContain("board-and-log");
      expect(model.prompts[0]).toContain("app-deployment");
    } finally {
      await model.stop();
    }
  });
});

describe("the bootstrap extension", () => {
  const bootstrap = () => join(scratch, "bootstrap.js");
  beforeAll(async () => {
    await Bun.write(bootstrap(), await (await reef.fetch("/extension/bootstrap.js")).text());
  });

  const start = async (cache: string, env: Record<string, string>, runtime: "node" | "bun" = "bun") => {
    const { report, stderr } = await runSession(
      runtime,
      { extensions: [bootstrap()] },
      { ...env, REEF_CACHE_DIR: join(scratch, cache) },
    );
    return { tools: report.tools.filter((name) => name.startsWith("probe_")), stderr, report };
  };

  test("fetches the present extension, and the next one after a change", async () => {
    const first = await start("follow", reef.env);
    expect(first.tools).toContain("probe_only_in_1");
    await reef.write({ "probe/index.ts": probeService(2) });
    await reef.fetch("/services/reload", { method: "POST" });
    const second = await start("follow", reef.env, "node");
    expect(second.tools).toContain("probe_only_in_2");
    expect(second.tools).not.toContain("probe_only_in_1");
  });

  test("falls back to the last good copy while the control plane is none", async () => {
    await start("good", reef.env);
    const latest = latestOf("good");
    const { hash } = await Bun.file(latest).json();
    const withoutPlane = async (name: string) => {
      const plane = await (CONTROL_PLANES[name] as () => Promise<ControlPlane>)();
      try {
        // A copy belongs to an address: this one gets Reef's, as if Reef had been there before.
        const folder = join(scratch, name, "extension", hashOf(plane.url));
        for (const file of ["latest.json", `${hash}.mjs`]) {
          await Bun.write(join(folder, file), Bun.file(latest.replace("latest.json", file)));
        }
        const { tools, stderr, report } = await start(name, { ...reef.env, VERS_INFRA_URL: plane.url });
        return {
          name,
          works: tools.includes("probe_fails"),
          said: stderr.includes("using the cached copy"),
          errors: report.loadErrors,
          kept: (await Bun.file(join(folder, "latest.json")).json()).hash,
        };
      } finally {
        await plane.stop();
      }
    };
    const names = ["refuses connections", "accepts and never answers", "returns HTML", "stops in the middle"];
    expect(await Promise.all(names.map(withoutPlane))).toEqual(
      names.map((name) => ({ name, works: true, said: true, errors: [], kept: hash })),
    );
  }, 60_000);

  test("without any copy the agent works without Reef", async () => {
    const { tools, stderr, report } = await start("empty", { VERS_INFRA_URL: "http://127.0.0.1:9" });
    expect(tools).toEqual([]);
    expect(report.loadErrors).toEqual([]);
    expect(stderr).toContain("there is no cached copy");
  });

  test.each<"node" | "bun">(["node", "bun"])(
    "a session on %s that began while the control plane was away has its tools once it is back",
    async (runtime) => {
      let asked = 0;
      const plane = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: (request) => {
          const { pathname } = new URL(request.url);
          if (pathname === "/extension.js" && asked++ < 2) return new Response("", { status: 503 });
          return reef.fetch(pathname, { headers: request.headers });
        },
      });
      try {
        const request = { extensions: [bootstrap()], prompts: 2, calls: [{ name: "probe_fails" }] };
        const env = {
          ...reef.env,
          VERS_INFRA_URL: plane.url.origin,
          REEF_CACHE_DIR: join(scratch, `late-${runtime}`),
        };
        const { report, stderr } = await runSession(runtime, request, env);
        expect(stderr).toContain("there is no cached copy to use instead");
        expect(report.tools).toContain("probe_version");
        expect(report.results).toEqual([{ name: "probe_fails", isError: true, text: "on purpose" }]);
        expect(report.errors).toEqual([]);
        expect(report.widgets.at(-1)?.lines[0]).toContain("Reef http://");
      } finally {
        await plane.stop(true);
      }
    },
  );

  test("a damaged copy is not run, and fetched anew", async () => {
    await start("damaged", reef.env);
    const latest = latestOf("damaged");
    const { hash } = await Bun.file(latest).json();
    const plane = await (CONTROL_PLANES["refuses connections"] as () => Promise<ControlPlane>)();
    const copies = { [reef.url]: latest, [plane.url]: latest.replace(hashOf(reef.url), hashOf(plane.url)) };
    await Bun.write(copies[plane.url] as string, Bun.file(latest));
    for (const copy of Object.values(copies)) {
      await Bun.write(copy.replace("latest.json", `${hash}.mjs`), "throw new Error('run')");
    }
    const { tools, stderr } = await start("damaged", { ...reef.env, VERS_INFRA_URL: plane.url });
    expect(stderr).toContain("damaged");
    expect(tools).toEqual([]);
    expect((await start("damaged", reef.env)).tools).toContain("probe_fails");
  });

  const hashOf = (url: string) => new Bun.CryptoHasher("sha256").update(url).digest("hex").slice(0, 16);
  const latestOf = (cache: string) => join(scratch, cache, "extension", hashOf(reef.url), "latest.json");
});
