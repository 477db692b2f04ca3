/** Evaluated first in every bundle: installs the stand-ins. */
import { member } from "./builtins.js";
import { installShims } from "./globals.js";
import { inert, inertModule } from "./inert.js";

__reef.evaluating = false;
__reef.meta = {
  url: "file:///reef.js",
  dir: "/",
  dirname: "/",
  path: "/reef.js",
  filename: "/reef.js",
  file: "reef.js",
  main: false,
  env: __reef.real.process.env,
  resolve: inert("import.meta.resolve"),
  require: inert("import.meta.require"),
};
__reef.report = () => undefined;
__reef.inert = inert;
__reef.inertModule = inertModule;
__reef.member = member;
installShims();
