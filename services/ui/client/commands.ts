/** Everything the palette offers. */
import { LISTED_PAGES } from "../page-names.js";
import { strings as t } from "../strings.js";
import { deploy, disable, enable, reload, rollback } from "./actions.js";
import { api } from "./api.js";
import { helpOpen } from "./parts/help.js";
import { DOCS } from "./parts/nav.js";
import { go, to } from "./router.js";
import { resource } from "./state/resource.js";
import { isLoaded, panels, services } from "./state/services.js";
import { nextTheme } from "./state/theme.js";

export interface Command {
  kind: keyof typeof t.palette.kinds;
  text: string;
  /** Searched as well, shown dimly. */
  more?: string;
  run: () => unknown;
}

interface Provider {
  id: string;
  services: Array<{ name: string; methods: Array<{ name: string; description: string }> }>;
}

/** Methods and tools, asked for when the palette opens. */
const methods = resource(async () => (await api<{ plugins: Provider[] }>("GET", "/broker")).plugins);
const tools = resource(
  async () =>
    (await api<{ tools: Array<{ name: string; description: string }> }>("GET", "/services/tools")).tools,
);

export function loadCommands(): void {
  if (isLoaded("broker")) void methods.load();
  void tools.load();
}

function serviceCommands(): Command[] {
  return (services.data.value ?? []).flatMap(({ name, state, description }) => {
    const page: Command = {
      kind: "service",
      text: name,
      more: description,
      run: () => go(to("services", name)),
    };
    if (name === "services") return [page];
    const act = (text: string, what: (name: string) => unknown): Command => ({
      kind: "action",
      text,
      run: () => {
        go(to("services", name));
        return what(name);
      },
    });
    const on =
      state === "disabled" ? act(t.palette.enable(name), enable) : act(t.palette.disable(name), disable);
    return [
      page,
      act(t.palette.reload(name), reload),
      act(t.palette.deploy(name), deploy),
      act(t.palette.rollback(name), (service) => rollback(service)),
      on,
    ];
  });
}

function methodCommands(): Command[] {
  const providers = methods.data.value ?? [];
  return providers.flatMap(({ id, services: offered }) =>
    offered.flatMap((service) => service.methods.map((method) => methodCommand(id, service.name, method))),
  );
}

function methodCommand(id: string, service: string, method: { name: string; description: string }): Command {
  return {
    kind: "method",
    text: `${service}.${method.name}`,
    more: `${id} ${method.description}`,
    run: () => go(to("broker", id, service, method.name)),
  };
}

export function commands(): Command[] {
  const docs: Command = {
    kind: "page",
    text: t.nav.docs,
    run: () => window.open(DOCS, "_blank", "noopener"),
  };
  return [
    ...LISTED_PAGES.map(
      ({ name, path }): Command => ({ kind: "page", text: t.nav[name], run: () => go(path) }),
    ),
    ...(isLoaded("docs") ? [docs] : []),
    ...(panels.data.value ?? []).map(
      ({ name, description }): Command => ({
        kind: "panel",
        text: name,
        more: description,
        run: () => go(to("panels", name)),
      }),
    ),
    ...serviceCommands(),
    ...methodCommands(),
    ...(tools.data.value ?? []).map(
      ({ name, description }): Command => ({
        kind: "tool",
        text: name,
        more: description,
        run: () => go(`/ui/tools?q=${encodeURIComponent(name)}`),
      }),
    ),
    { kind: "action", text: t.palette.theme, run: nextTheme },
    {
      kind: "action",
      text: t.palette.help,
      run: () => {
        helpOpen.value = true;
      },
    },
  ];
}
