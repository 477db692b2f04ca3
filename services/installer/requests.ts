/** What callers may ask of the installer, as it comes in. */
import { type Static, Type } from "@sinclair/typebox";

const Text = Type.Optional(Type.String({ minLength: 1, maxLength: 1000 }));
/** For the repository or the other Reef; used once, kept nowhere. */
const Token = Type.Optional(Type.String({ minLength: 1, maxLength: 4000, pattern: "^[\\x21-\\x7e]+$" }));
const Flag = Type.Optional(Type.Boolean());
/** Answer 202 at once, with the job. */
const Background = Flag;
/** The installed service, or its folder; one of the two is required. */
const Named = { name: Text, dirName: Text };

export const Install = Type.Object({
  source: Text,
  ref: Text,
  subdirectory: Text,
  /** Another Reef, and the name of a service there. */
  from: Text,
  name: Text,
  /** The folder to install into. */
  dirName: Text,
  /** For a folder on this machine: link it, or copy it. */
  link: Flag,
  token: Token,
  test: Flag,
  background: Background,
});

export const Update = Type.Object({
  ...Named,
  /** Another branch, tag or commit than the one it follows. */
  ref: Text,
  token: Token,
  test: Flag,
  /** Also when files were changed here; they are kept with the version before. */
  force: Flag,
  acceptPermissions: Flag,
  background: Background,
});

export const Remove = Type.Object({
  ...Named,
  /** Also when other services need it. */
  force: Flag,
  background: Background,
});

export const Rollback = Type.Object({ ...Named, background: Background });

/** A request with its target settled and without what only the route needs. */
type For<T> = Omit<T, "name" | "dirName" | "background"> & { name: string };

export type InstallRequest = Omit<Static<typeof Install>, "background">;
export type UpdateRequest = For<Static<typeof Update>>;
export type RemoveRequest = For<Static<typeof Remove>>;
