/** The names in a package: which are refused, and which cannot stand beside each other on every file system. */
import { InstallError, printable } from "../errors.js";
import { LIMITS, type Limits } from "../limits.js";

export type MemberKind = "file" | "folder" | "link";

function refuse(name: string, why: string): never {
  throw new InstallError(
    400,
    "unpack",
    `the package contains ${JSON.stringify(printable(name, 80))}: ${why}.`,
  );
}

/** Folders that are no part of a package: they are made by the installer, or by git. */
const FOREIGN = new Set(["node_modules", ".git"]);

/** Every path of a package that is being put together. */
export class Members {
  readonly #limits: Limits;
  /** By its path in one case and one Unicode form: the path as it was spelled, and what it is. */
  readonly #known = new Map<string, { path: string; kind: MemberKind }>();
  readonly links: Array<{ path: string; target: string }> = [];
  #bytes = 0;

  constructor(limits: Limits = LIMITS) {
    this.#limits = limits;
  }

  /** Files, folders and links so far. */
  get count(): number {
    return this.#known.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a member in; returns its path with `/` between names.
   *
   * @throws InstallError with status 400 for a name that could leave the package or clash with another one.
   */
  add(name: string, kind: MemberKind): string {
    const path = this.#checked(name);
    const names = path.split("/");
    for (let depth = 1; depth < names.length; depth++)
      this.#note(names.slice(0, depth).join("/"), "folder", name);
    this.#note(path, kind, name);
    return path;
  }

  addLink(name: string, target: string): void {
    const path = this.add(name, "link");
    if (
      target === "" ||
      /[\p{Cc}\\]/u.test(target) ||
      target.startsWith("/") ||
      target.length > this.#limits.pathBytes
    ) {
      refuse(name, `a link to ${JSON.stringify(printable(target, 80))} is not allowed`);
    }
    let depth = path.split("/").length - 1;
    for (const part of target.split("/")) {
      if (part === "..") depth--;
      else if (part !== "" && part !== ".") depth++;
      if (depth < 0) refuse(name, "the link leads out of the package");
    }
    this.links.push({ path, target });
  }

  /** Passes the content of a file on, as far as it is within the limits. */
  async *counted(content: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.byteLength;
      this.#count(chunk.byteLength, bytes, name);
      yield chunk;
    }
  }

  #count(bytes: number, fileBytes: number, name: string): void {
    this.#bytes += bytes;
    if (fileBytes > this.#limits.fileBytes)
      refuse(name, `the file is larger than ${this.#limits.fileBytes} bytes`);
    if (this.#bytes > this.#limits.totalBytes)
      refuse(name, `the package is larger than ${this.#limits.totalBytes} bytes`);
  }

  #checked(name: string): string {
    if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u.test(name))
      refuse(name, "the name contains control characters");
    if (name.includes("\\")) refuse(name, 'the name contains "\\"');
    if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) refuse(name, "the path is absolute");
    if (Buffer.byteLength(name) > this.#limits.pathBytes)
      refuse(name, `the path is longer than ${this.#limits.pathBytes} bytes`);
    const names = name.replace(/\/$/, "").split("/");
    for (const part of names) {
      if (part === "..") refuse(name, "the path leads out of the package");
      if (part === "" || part === ".") refuse(name, "the path contains an empty name");
      if (Buffer.byteLength(part) > this.#limits.nameBytes)
        refuse(name, `the name is longer than ${this.#limits.nameBytes} bytes`);
      if (FOREIGN.has(part.toLowerCase())) refuse(name, `"${part}" is not allowed in a package`);
    }
    return names.join("/");
  }

  #note(path: string, kind: MemberKind, name: string): void {
    const key = path.normalize("NFKC").toLowerCase();
    const known = this.#known.get(key);
    if (known) {
      if (known.path !== path)
        refuse(name, `some file systems cannot tell it from ${JSON.stringify(printable(known.path, 80))}`);
      if (known.kind !== "folder" || kind !== "folder") refuse(name, "it occurs twice");
      return;
    }
    this.#known.set(key, { path, kind });
    if (this.#known.size > this.#limits.entries)
      refuse(name, `the package has more than ${this.#limits.entries} entries`);
  }
}
