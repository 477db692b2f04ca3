import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { GitHost, git, gitTree } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";

const host = new GitHost();
let reef: Instance;
let empty: string[];

beforeAll(async () => {
  reef = await startInstance({ env: { REEF_INSTALL_ALLOW: "loopback,file" } });
  empty = snapshot(reef.servicesDir);
});
afterAll(async () => {
  await reef.close();
  await host.close();
});

async function version(name: string): Promise<unknown> {
  const { status, data } = await reef.request("GET", `/${name}`);
  return status === 200 ? data.version : status;
}

async function remove(name: string): Promise<void> {
  expect((await reef.post("/installer/remove", { name })).status).toBe(200);
  expect(snapshot(reef.servicesDir)).toEqual(empty);
}

describe.each([
  ["plain files over http", () => host.serveFiles()],
  ["git's own server over http", () => host.serveSmart()],
  ["files of this machine", () => `file://${join(host.dir, "bare")}`],
])("from %s", (kind, serve) => {
  const path = `ada/${kind.replaceAll(/\W/g, "")}`;

  test("is installed, updated, rolled back and removed", async () => {
    const first = host.create(path, sampleFiles("greeter", "1"));
    const source = `${serve()}/${path}.git`;
    const installed = await reef.install({ source, dirName: "greeter", test: true });
    expect(installed).toMatchObject({
      status: 201,
      data: { name: "greeter", dirName: "greeter", source, type: "git", commit: first, action: "installed" },
    });
    expect(installed.data.tests).toEqual({ status: "passed", detail: "1 test passed" });
    expect(await version("greeter")).toBe("1");

    const unchanged = await reef.post("/installer/update", { name: "greeter" });
    expect(unchanged).toMatchObject({
      status: 200,
      data: { action: "updated", changed: false, commit: first },
    });

    const second = host.commit(path, { ...sampleFiles("greeter", "2"), "README.md": null });
    const updated = await reef.post("/installer/update", { name: "greeter", test: true });
    expect(updated).toMatchObject({
      status: 200,
      data: { action: "updated", changed: true, commit: second },
    });
    expect(await version("greeter")).toBe("2");

    expect((await reef.post("/installer/rollback", { name: "greeter" })).data.commit).toBe(first);
    expect(await version("greeter")).toBe("1");
    expect((await reef.post("/installer/rollback", { name: "greeter" })).data.commit).toBe(second);
    expect(await version("greeter")).toBe("2");
    await remove("greeter");
    expect(await version("greeter")).toBe(404);
  });

  test("is pinned to a tag, a branch, and a commit in full and in short", async () => {
    const pinned = `${path}-pinned`;
    const first = host.create(pinned, sampleFiles("greeter", "1"));
    git(host.workingCopy(pinned), "tag", "--annotate", "--message", "First", "v1");
    host.commit(pinned, sampleFiles("greeter", "2"));
    git(host.workingCopy(pinned), "checkout", "--quiet", "-b", "feature/three");
    host.commit(pinned, sampleFiles("greeter", "3"));
    const source = `${serve()}/${pinned}.git`;
    for (const [ref, expected] of [
      ["v1", "1"],
      ["main", "2"],
      ["feature/three", "3"],
      [first, "1"],
      [first.slice(0, 10), "1"],
    ] as const) {
      const installed = await reef.install({ source: `${source}@${ref}`, dirName: "greeter" });
      expect(installed).toMatchObject({ status: 201, data: { ref } });
      expect(await version("greeter")).toBe(expected);
      const { data } = await reef.request("GET", "/installer/installed");
      expect(data.installed[0]).toMatchObject({
        dirName: "greeter",
        ref,
        type: "git",
        source: `${source}@${ref}`,
      });
      await remove("greeter");
    }
    await reef.install({ source: `${source}@v1`, dirName: "greeter" });
    expect((await reef.post("/installer/update", { name: "greeter" })).data.changed).toBe(false);
    expect((await reef.post("/installer/update", { name: "greeter", ref: "main" })).data.changed).toBe(true);
    expect(await version("greeter")).toBe("2");
    await remove("greeter");

    const missing = await reef.install({ source: `${source}@nowhere`, dirName: "greeter" });
    expect(missing).toMatchObject({ status: 404, data: { error: 'the repository has no "nowhere".' } });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });
});

test("a folder of a repository is installed alone", async () => {
  const files = sampleFiles("greeter", "1");
  const below = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`services/hello/${path}`, text]),
  );
  host.create("ada/many", { ...below, "package.json": "{}", "outside.ts": "export {};" });
  const source = `${host.serveSmart()}/ada/many.git`;
  const whole = await reef.install({ source });
  expect(whole).toMatchObject({ status: 400, data: { step: "check" } });
  expect((await reef.install({ source: `${source}//services/nothing` })).status).toBe(404);
  const installed = await reef.install({ source: `${source}//services/hello@main` });
  expect(installed).toMatchObject({ status: 201, data: { name: "greeter", dirName: "hello" } });
  expect(await version("greeter")).toBe("1");
  const added = snapshot(join(reef.servicesDir, "hello")).map((line) => line.split(" ")[0]);
  expect(added).toEqual(["README.md", "greeter.test.ts", "index.ts", "lib/", "lib/greeting.ts"]);
  await remove("hello");
});

test("a private repository is read with a token that is kept nowhere", async () => {
  host.create("ada/private", sampleFiles("greeter", "1"));
  const [token, wrong] = [crypto.randomUUID(), crypto.randomUUID()];
  const source = `${host.serveSmart(token)}/ada/private.git`;
  expect((await reef.install({ source, token: wrong })).status).toBe(502);
  expect((await reef.install({ source })).status).toBe(502);
  expect((await reef.install({ source, token })).status).toBe(201);
  const { data: jobs } = await reef.request("GET", "/installer/jobs");
  const folders = [reef.dataDir, reef.servicesDir];
  const kept = await Bun.$`grep -rlE ${`${token}|${wrong}`} ${folders}`.nothrow().text();
  expect(kept).toBe("");
  expect(JSON.stringify(jobs) + reef.log.join("\n")).not.toMatch(new RegExp(`${token}|${wrong}`));
  expect((await reef.post("/installer/update", { name: "private" })).status).toBe(502);
  expect((await reef.post("/installer/update", { name: "private", token })).status).toBe(200);
  await remove("private");
});

describe("a hostile repository", () => {
  test("does not have its links, attributes, hooks or submodules obeyed", async () => {
    const path = "eve/tricks";
    host.create(path, {
      ...sampleFiles("greeter", "1"),
      ".gitattributes": "* filter=evil export-subst\nREADME.md export-ignore\n*.ts text eol=crlf\n",
      ".gitmodules": `[submodule "x"]\n  path = x\n  url = file:///etc\n`,
      "README.md": "$Format:%H$",
    });
    const source = `${host.serveSmart()}/${path}.git`;
    expect((await reef.install({ source })).status).toBe(201);
    const folder = join(reef.servicesDir, "tricks");
    expect(await Bun.file(join(folder, "README.md")).text()).toBe("$Format:%H$");
    expect(await Bun.file(join(folder, "index.ts")).text()).not.toContain("\r");
    await remove("tricks");
  });

  test.each([
    ["a link out of it", "../../../../etc/passwd"],
    ["a link to an absolute path", "/etc/passwd"],
  ])("with %s is refused", async (name, target) => {
    const path = `eve/${name.replaceAll(" ", "-")}`;
    mkdirSync(host.workingCopy(path), { recursive: true });
    symlinkSync(target, join(host.workingCopy(path), "link"));
    host.create(path, sampleFiles("greeter", "1"));
    const refused = await reef.install({ source: `${host.serveSmart()}/${path}.git` });
    expect(refused).toMatchObject({ status: 400, data: { step: "unpack" } });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("of few bytes that hold billions of files is refused before git takes them all into memory", async () => {
    const path = "eve/bomb";
    host.create(path, sampleFiles("greeter", "1"));
    const work = host.workingCopy(path);
    let tree = git(work, "rev-parse", "HEAD^{tree}");
    for (let level = 0; level < 10; level++) {
      tree = gitTree(
        work,
        Array.from({ length: 10 }, (_, n) => `040000 tree ${tree}\t${n}`),
      );
    }
    const code = git(work, "rev-parse", "HEAD:index.ts");
    tree = gitTree(work, [`040000 tree ${tree}\t0`, `100644 blob ${code}\tindex.ts`]);
    git(work, "reset", "--quiet", "--soft", git(work, "commit-tree", tree, "-p", "HEAD", "-m", "Many"));
    host.publish(path);
    const impatient = await startInstance({ env: { REEF_INSTALL_TIMEOUT: "5000" } });
    const refused = await impatient.install({ source: `${host.serveSmart()}/${path}.git` });
    expect(refused).toMatchObject({
      status: 400,
      data: { step: "unpack", error: expect.stringContaining("5000 entries") },
    });
    await impatient.close();
  });
});

test("a redirect is not followed", async () => {
  host.create("ada/moved", sampleFiles("greeter", "1"));
  const target = host.serveSmart();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => Response.redirect(target + new URL(url).pathname + new URL(url).search, 302),
  });
  const refused = await reef.install({ source: `${server.url.href}ada/moved.git` });
  await server.stop(true);
  expect(refused).toMatchObject({ status: 502, data: { step: "fetch" } });
});

test("a silent server is given up on, without holding up anything else, and git is ended", async () => {
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => new Promise<Response>(() => undefined),
  });
  const impatient = await startInstance({ env: { REEF_INSTALL_TIMEOUT: "1000" } });
  const before = snapshot(impatient.servicesDir);
  const source = `${silent.url.href}ada/silent.git`;
  const installing = impatient.install({ source });
  const busy = await impatient.install({ source });
  expect(busy).toMatchObject({ status: 409, data: { error: expect.stringContaining("is being installed") } });
  expect((await impatient.request("GET", "/installer/installed")).data.count).toBe(0);
  expect(await installing).toMatchObject({
    status: 504,
    data: { error: expect.stringContaining("1000 ms") },
  });
  expect(snapshot(impatient.servicesDir)).toEqual(before);
  const left = await Bun.$`pgrep -f ${source}`.nothrow().text();
  expect(left).toBe("");
  await impatient.close();
  await silent.stop(true);
});

test("git sources that the operator has not allowed are refused before git is started", async () => {
  const strict = await startInstance({ env: { REEF_INSTALL_ALLOW: "none" } });
  for (const source of [
    "http://127.0.0.1:1/a/b",
    "https://localhost/a/b",
    "https://10.0.0.1/a/b",
    "ssh://git@[::1]/a/b",
    "file:///srv/x",
  ]) {
    expect(await strict.install({ source })).toMatchObject({ status: 403 });
  }
  expect((await strict.install({ source: "https://169.254.169.254/a/b" })).data.error).toContain(
    "REEF_INSTALL_ALLOW=private",
  );
  await strict.close();
});
