/** Real git repositories for tests, and servers that give them out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ENV = {
  PATH: process.env.PATH ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

/** Runs git and returns what it printed; throws when it fails. */
export function git(cwd: string, ...args: string[]): string {
  return gitWith("", cwd, args);
}

/** Makes a tree of entries as `git ls-tree` writes them; returns its id. */
export function gitTree(cwd: string, entries: string[]): string {
  return gitWith(entries.map((entry) => `${entry}\n`).join(""), cwd, ["mktree"]);
}

function gitWith(stdin: string, cwd: string, args: string[]): string {
  const options = { cwd, env: ENV, stdin: Buffer.from(stdin) };
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", ...args], options);
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

/** Writes files below a folder; `null` as the content removes one. */
export function writeFiles(dir: string, files: Record<string, string | null>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(dir, path);
    if (content === null) {
      rmSync(target, { force: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

/** A folder of bare repositories, each with a working copy that commits are made in. */
export class GitHost {
  readonly dir = mkdtempSync(join(tmpdir(), "reef-git-"));
  readonly #servers: Bun.Server<undefined>[] = [];

  /** Makes `<user>/<name>.git` with a first commit; returns that commit's id. */
  create(path: string, files: Record<string, string>): string {
    const work = this.workingCopy(path);
    mkdirSync(work, { recursive: true });
    git(work, "init", "--quiet", "--initial-branch=main");
    mkdirSync(dirname(this.bare(path)), { recursive: true });
    git(this.dir, "init", "--quiet", "--bare", "--initial-branch=main", this.bare(path));
    git(work, "remote", "add", "origin", this.bare(path));
    return this.commit(path, files);
  }

  /** Commits changes and publishes them; returns the commit's id. */
  commit(path: string, files: Record<string, string | null>): string {
    const work = this.workingCopy(path);
    writeFiles(work, files);
    git(work, "add", "--all");
    git(work, "commit", "--quiet", "--allow-empty", "--message", "Change");
    this.publish(path);
    return git(work, "rev-parse", "HEAD");
  }

  /** Commits these files in place of all there were; returns the commit's id. */
  replace(path: string, files: Record<string, string | null>): string {
    git(this.workingCopy(path), "rm", "--quiet", "-r", ".");
    return this.commit(path, files);
  }

  publish(path: string): void {
    const work = this.workingCopy(path);
    git(work, "push", "--quiet", "--all", "origin");
    git(work, "push", "--quiet", "--tags", "origin");
    git(this.bare(path), "update-server-info");
  }

  workingCopy(path: string): string {
    return join(this.dir, "work", path);
  }

  bare(path: string): string {
    return join(this.dir, "bare", `${path}.git`);
  }

  /** Gives the repositories out as plain files, as any web server can. */
  serveFiles(): string {
    return this.#listen(async (request) => {
      const file = Bun.file(join(this.dir, "bare", decodeURIComponent(new URL(request.url).pathname)));
      return (await file.exists()) ? new Response(file) : new Response("not found", { status: 404 });
    });
  }

  /** Gives the repositories out through git's own server program. `token` is asked for when it is given. */
  serveSmart(token?: string): string {
    const expected = token && `Basic ${btoa(`x-access-token:${token}`)}`;
    return this.#listen(async (request) => {
      if (expected && request.headers.get("authorization") !== expected) {
        return new Response(`no entry with ${request.headers.get("authorization")}`, { status: 401 });
      }
      return this.#backend(request);
    });
  }

  async #backend(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const child = Bun.spawn(["git", "http-backend"], {
      env: {
        ...ENV,
        GIT_PROJECT_ROOT: join(this.dir, "bare"),
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "uploadpack.allowAnySHA1InWant",
        GIT_CONFIG_VALUE_0: "false",
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers.get("content-type") ?? "",
        GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
        HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      },
      stdin: await request.arrayBuffer().then((body) => new Uint8Array(body)),
      stdout: "pipe",
      stderr: "ignore",
    });
    const output = new Uint8Array(await new Response(child.stdout).arrayBuffer());
    const end = Buffer.from(output).indexOf("\r\n\r\n");
    const headers = new Headers();
    for (const line of Buffer.from(output.subarray(0, end)).toString().split("\r\n")) {
      const colon = line.indexOf(":");
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    const status = Number.parseInt(headers.get("status") ?? "200", 10);
    headers.delete("status");
    return new Response(output.subarray(end + 4), { status, headers });
  }

  #listen(fetch: (request: Request) => Promise<Response>): string {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
    this.#servers.push(server);
    return server.url.href.replace(/\/$/, "");
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop(true)));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
