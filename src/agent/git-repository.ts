/** Builds a bare git repository as static files, as `git clone http://…` reads it. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

/** File contents by path, with `/` as the separator. */
export type FileTree = ReadonlyMap<string, string | Uint8Array>;

type Store = Map<string, Uint8Array>;

const BRANCH = "refs/heads/main";
/** Fixed, so that equal files yield equal commits. */
const AUTHOR = "Reef <reef@localhost> 0 +0000";

function add(store: Store, kind: "blob" | "tree" | "commit", body: Uint8Array): string {
  const object = Buffer.concat([Buffer.from(`${kind} ${body.length}\0`), body]);
  const id = createHash("sha1").update(object).digest("hex");
  store.set(`objects/${id.slice(0, 2)}/${id.slice(2)}`, deflateSync(object));
  return id;
}

function addTree(store: Store, files: FileTree): string {
  const folders = new Map<string, Map<string, string | Uint8Array>>();
  const entries: Array<{ sortKey: string; mode: string; name: string; id: string }> = [];
  for (const [path, content] of files) {
    const slash = path.indexOf("/");
    if (slash < 0) {
      const id = add(store, "blob", Buffer.from(content as string));
      entries.push({ sortKey: path, mode: "100644", name: path, id });
      continue;
    }
    const folder = path.slice(0, slash);
    const inner = folders.get(folder) ?? new Map<string, string | Uint8Array>();
    folders.set(folder, inner.set(path.slice(slash + 1), content));
  }
  for (const [name, inner] of folders) {
    entries.push({ sortKey: `${name}/`, mode: "40000", name, id: addTree(store, inner) });
  }
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.sortKey), Buffer.from(b.sortKey)));
  const lines = entries.flatMap(({ mode, name, id }) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.from(id, "hex"),
  ]);
  return add(store, "tree", Buffer.concat(lines));
}

/**
 * Builds a repository with one commit, containing `files`, on the branch `main`. Returns the repository's files
 * by path.
 */
export function gitRepository(files: FileTree): Map<string, Uint8Array> {
  const store: Store = new Map();
  const tree = addTree(store, files);
  const message = `tree ${tree}\nauthor ${AUTHOR}\ncommitter ${AUTHOR}\n\nThe agent's side of Reef\n`;
  const commit = add(store, "commit", Buffer.from(message));
  store.set("HEAD", Buffer.from(`ref: ${BRANCH}\n`));
  store.set("info/refs", Buffer.from(`${commit}\t${BRANCH}\n`));
  store.set("objects/info/packs", Buffer.from("\n"));
  store.set(BRANCH, Buffer.from(`${commit}\n`));
  return store;
}
