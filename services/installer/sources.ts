/** Reads what a person writes as a source: a git repository in one of its spellings, or a folder on this machine. */
import { resolve } from "node:path";
import { isFolderName } from "../../src/core/names.js";
import { InstallError, printable } from "./errors.js";
import { withoutCredentials } from "./sources/credentials.js";

export type Transport = "https" | "http" | "ssh" | "file";

/** A git repository, and what of it is meant. */
export interface GitSource {
  type: "git";
  /** What git is given; never begins with `-`, holds no credentials. */
  url: string;
  transport: Transport;
  /** As in the URL; IPv6 without brackets. Empty for `file`. */
  host: string;
  port: string;
  /** Branch, tag or commit; undefined for the default branch. */
  ref: string | undefined;
  /** Folder of the repository that holds the service, `/` between names. */
  subdirectory: string | undefined;
  /** The last name in the path, which names the folder unless the caller does. */
  folder: string;
}

/** A folder on the server's machine. */
export interface LocalSource {
  type: "local";
  /** Absolute. */
  path: string;
  folder: string;
}

export type Source = GitSource | LocalSource;

const FORMS =
  'user/repo, host/user/repo, https://host/path, ssh://git@host/path or git@host:path, each with //folder and @ref if needed, or a path that starts with "/", "./" or "../"';
const LONGEST = 1000;
const DEFAULT_HOST = "github.com";
const PATH_NAME = /^[A-Za-z0-9_~.+][A-Za-z0-9_~.+-]*$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function refuse(text: string, why: string): never {
  throw new InstallError(
    400,
    "source",
    `the source ${JSON.stringify(printable(withoutCredentials(text), 120))} ${why}`,
  );
}

/**
 * Parses a source. `ref` and `subdirectory` may be given apart from it instead of inside.
 *
 * @throws InstallError with status 400, which says what is wrong with it.
 */
export function parseSource(text: string, apart: { ref?: string; subdirectory?: string } = {}): Source {
  if (text === "") refuse(text, `is empty; use ${FORMS}.`);
  if (text.length > LONGEST) refuse(text, `is longer than ${LONGEST} characters.`);
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text))
    refuse(text, "contains invisible or control characters.");
  if (text.startsWith("-")) refuse(text, 'starts with "-", like an option.');
  if (/^(\/|\.\.?(\/|$))/.test(text)) return local(text, apart);
  if (!/^[\x21-\x7e]+$/.test(text))
    refuse(text, "contains spaces or characters that are not valid in a git URL.");
  const url = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/.exec(text);
  if (url) return fromUrl(text, (url[1] as string).toLowerCase(), url[2] as string, apart);
  const scp = /^([^@:/]+)@([^@:/]+):([^:].*)$/.exec(text);
  if (scp) return fromScp(text, scp[1] as string, scp[2] as string, scp[3] as string, apart);
  return fromShorthand(text, apart);
}

type Apart = { ref?: string; subdirectory?: string };

function local(text: string, apart: Apart): LocalSource {
  if (apart.ref !== undefined || apart.subdirectory !== undefined) {
    refuse(text, 'is a folder on this machine: "ref" and "//folder" do not apply.');
  }
  const path = resolve(text);
  return { type: "local", path, folder: path.slice(path.lastIndexOf("/") + 1) };
}

/** Splits `path[//subdirectory][@ref]` and checks each part. */
function parts(text: string, rest: string, apart: Apart) {
  const at = rest.indexOf("@");
  const inside = at < 0 ? undefined : rest.slice(at + 1);
  if (inside?.includes("@")) refuse(text, 'has "@" more than once.');
  const [path = "", below, ...more] = (at < 0 ? rest : rest.slice(0, at)).split("//");
  if (more.length > 0) refuse(text, 'has "//" more than once.');
  const names = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  for (const name of names) assertPathName(text, name);
  return {
    names,
    ref: checkedRef(one(text, "ref", inside, apart.ref)),
    subdirectory: checkedSubdirectory(one(text, "subdirectory", below, apart.subdirectory)),
  };
}

function one(text: string, what: string, inside: string | undefined, apart: string | undefined) {
  if (inside !== undefined && apart !== undefined && inside !== apart)
    refuse(text, `already names a ${what}.`);
  return inside ?? apart;
}

function assertPathName(text: string, name: string): void {
  if (name === "") refuse(text, "has an empty name in its path.");
  if (name === "." || name === ".." || !PATH_NAME.test(name)) {
    const shown = withoutCredentials(text) === text ? printable(name, 40) : "…";
    refuse(text, `has ${JSON.stringify(shown)} in its path, which is not a valid repository name.`);
  }
}

/** A branch, tag or commit by the rules of `git check-ref-format`, and shorter. */
export function checkedRef(ref: string | undefined): string | undefined {
  if (ref === undefined) return undefined;
  const fits =
    ref.length <= 200 &&
    /^[A-Za-z0-9_][A-Za-z0-9_./+-]*$/.test(ref) &&
    !/\.\.|\/\/|\/\.|\.\/|\/-|\.lock(\/|$)|[./]$/.test(ref);
  if (fits) return ref;
  const message = `${JSON.stringify(printable(ref, 60))} is not a valid branch, tag or commit.`;
  throw new InstallError(400, "source", message);
}

function checkedSubdirectory(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const names = path.replace(/\/$/, "").split("/");
  const fits =
    path.length <= 300 &&
    names.every(
      (name) => /^[A-Za-z0-9_@.+-]+$/.test(name) && !/^(\.\.?|\.git)$/i.test(name) && !name.startsWith("-"),
    );
  if (fits) return names.join("/");
  const message = `${JSON.stringify(printable(path, 60))} is not a valid folder in a repository.`;
  throw new InstallError(400, "source", message);
}

interface Located {
  transport: Transport;
  url: string;
  host: string;
  port: string;
}

function source(
  text: string,
  at: Located,
  { names, ref, subdirectory }: ReturnType<typeof parts>,
): GitSource {
  const last = (subdirectory ?? names.join("/")).split("/").at(-1) as string;
  const folder = subdirectory ? last : last.replace(/\.git$/, "");
  if (folder === "") refuse(text, "does not name a repository.");
  return { type: "git", ...at, ref, subdirectory, folder };
}

function checkedHost(text: string, host: string): string {
  const lower = host.toLowerCase();
  if (lower.length > 253 || !HOST.test(lower)) refuse(text, `has no valid host name.`);
  return lower;
}

function fromUrl(text: string, scheme: string, rest: string, apart: Apart): GitSource {
  if (scheme !== "https" && scheme !== "http" && scheme !== "ssh" && scheme !== "file") {
    refuse(
      text,
      `uses "${printable(scheme, 20)}"; use https or ssh, or http and file if the operator allows them.`,
    );
  }
  if (/[?#]/.test(rest)) refuse(text, 'contains "?" or "#"; add a ref with "@".');
  const slash = rest.indexOf("/");
  if (slash < 0) refuse(text, "does not name a repository.");
  const path = rest.slice(slash);
  if (scheme === "file") {
    if (slash > 0) refuse(text, "names a host; file:// works only for this machine.");
    const found = parts(text, path, apart);
    return source(
      text,
      { transport: "file", url: `file:///${found.names.join("/")}`, host: "", port: "" },
      found,
    );
  }
  const authority = rest.slice(0, slash);
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  if (scheme === "ssh" ? user !== "" && !USER.test(user) : at >= 0) {
    refuse(text, 'contains a user or password; pass the token for https in "token".');
  }
  const { hostname, port } = parsedAuthority(text, authority.slice(at + 1));
  const found = parts(text, path, apart);
  const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
  const where = `${user && `${user}@`}${shown}${port && `:${port}`}`;
  const url = `${scheme}://${where}/${found.names.join("/")}`;
  return source(text, { transport: scheme, url, host: hostname, port }, found);
}

/** Normalises odd spellings of addresses, such as `0x7f.1`, to what will be connected to. */
function parsedAuthority(text: string, authority: string): { hostname: string; port: string } {
  if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/.test(authority))
    refuse(text, "has no valid host name.");
  // For the host only: it drops a port that is the default of http, whatever the scheme was.
  const url = URL.parse(`http://${authority}/`);
  if (!url) refuse(text, "has no valid host name or port.");
  const port = /:(\d{1,5})$/.exec(authority.replace(/^\[.*\]/, ""))?.[1] ?? "";
  if (url.hostname.startsWith("[")) return { hostname: url.hostname.slice(1, -1), port };
  return { hostname: checkedHost(text, url.hostname), port };
}

function fromScp(text: string, user: string, host: string, rest: string, apart: Apart): GitSource {
  if (!USER.test(user)) refuse(text, "has no valid user name.");
  const { hostname } = parsedAuthority(text, host);
  const absolute = rest.startsWith("/") ? "/" : "";
  const found = parts(text, rest, apart);
  const url = `${user}@${hostname}:${absolute}${found.names.join("/")}`;
  return source(text, { transport: "ssh", url, host: hostname, port: "" }, found);
}

function fromShorthand(text: string, apart: Apart): GitSource {
  const before = text.split("@", 1)[0] as string;
  if (/:|^~/.test(before)) refuse(text, `is not recognized; use ${FORMS}.`);
  const found = parts(text, text, apart);
  const withHost = /\./.test(found.names[0] as string) && found.names.length > 2;
  const host = checkedHost(text, withHost ? (found.names[0] as string) : DEFAULT_HOST);
  const names = withHost ? found.names.slice(1) : found.names;
  if (names.length < 2) refuse(text, `is not recognized; use ${FORMS}.`);
  if (names.length > 2)
    refuse(text, `contains a folder; write it after "//": ${names.slice(0, 2).join("/")}//…`);
  const at: Located = { transport: "https", url: `https://${host}/${names.join("/")}`, host, port: "" };
  return source(text, at, { ...found, names });
}

/** The folder that a source is installed into: the caller's choice, else its own last name. */
export function folderName(source: Source, chosen: string | undefined): string {
  const name = chosen ?? source.folder;
  if (isFolderName(name)) return name;
  const message = `${JSON.stringify(printable(name, 60))} is not a valid folder name; set "dirName" (letters, digits, "-", "_" and ".", at most 64, not "node_modules").`;
  throw new InstallError(400, "source", message);
}
