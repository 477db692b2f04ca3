/** @jsxImportSource preact */
/** Which page belongs to an address. */
import { useEffect } from "preact/hooks";
import { strings as t } from "../../strings.js";
import { Heading } from "../parts/bits.js";
import { segments } from "../router.js";
import { AgentsPage } from "./agents.js";
import { BrokerPage } from "./broker.js";
import { EventsPage } from "./events.js";
import { InstallerPage } from "./installer.js";
import { MethodPage } from "./method.js";
import { OverviewPage } from "./overview.js";
import { PanelPage } from "./panel.js";
import { ServicePage } from "./service.js";
import { ServicesPage } from "./services.js";
import { ToolsPage } from "./tools.js";

function pick(parts: readonly string[]) {
  const [page, name, second, third] = parts;
  switch (page) {
    case undefined:
      return <OverviewPage />;
    case "services":
      return name === undefined ? <ServicesPage /> : <ServicePage key={name} name={name} />;
    case "events":
      return <EventsPage id={name} />;
    case "broker":
      if (name === undefined) return <BrokerPage />;
      if (second === undefined || third === undefined) break;
      return <MethodPage key={parts.join("/")} plugin={name} service={second} method={third} />;
    case "tools":
      return <ToolsPage />;
    case "agents":
      return <AgentsPage />;
    case "installer":
      return <InstallerPage />;
    case "panels":
      if (name !== undefined) return <PanelPage key={name} name={name} />;
  }
  return <NoPage />;
}

const NoPage = () => (
  <>
    <Heading title={t.common.unknownPage} />
    <p>
      {t.common.unknownPageHint} <a href="/ui">{t.nav.overview}</a>
    </p>
  </>
);

/** What the tab of the browser says. */
function titleOf([page, ...rest]: readonly string[]): string {
  const key = page ?? "overview";
  const own = Object.hasOwn(t.nav, key) ? t.nav[key as keyof typeof t.nav] : undefined;
  const parts = page === "panels" ? rest : [rest[0], own];
  return [...parts.filter(Boolean), t.shell.title].join(" · ");
}

export function Page() {
  const parts = segments.value;
  useEffect(() => {
    document.title = titleOf(parts);
  }, [parts]);
  return pick(parts);
}
