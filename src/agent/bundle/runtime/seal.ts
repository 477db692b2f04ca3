/** Evaluated first in every bundle: puts the stand-ins in place. */
import { member } from "./builtins.js";
import { installShims } from "./globals.js";
import { inert, inertModule } from "./inert.js";

__reef.evaluating = false;
__reef.report = () => undefined;
__reef.inert = inert;
__reef.inertModule = inertModule;
__reef.member = member;
installShims();
