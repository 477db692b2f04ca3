/** Makes the links of a package, after everything else is in place, and only those that stay inside. */
import { realpathSync, symlinkSync } from "node:fs";
import { join, sep } from "node:path";
import { InstallError, printable } from "../errors.js";
import type { Members } from "./members.js";

/** @throws InstallError with status 400 for a link that leads out of `root` or nowhere. */
export function makeLinks(root: string, { links }: Members): void {
  for (const { path, target } of links) symlinkSync(target, join(root, path));
  const real = realpathSync(root);
  for (const { path } of links) {
    let leads: string;
    try {
      leads = realpathSync(join(root, path));
    } catch (error) {
      const shown = JSON.stringify(printable(path, 80));
      throw new InstallError(
        400,
        "unpack",
        `the package contains the broken link ${shown}.`,
        {},
        { cause: error },
      );
    }
    if (leads.startsWith(real + sep)) continue;
    const shown = JSON.stringify(printable(path, 80));
    throw new InstallError(
      400,
      "unpack",
      `the package contains the link ${shown}, which leads out of the package.`,
    );
  }
}
