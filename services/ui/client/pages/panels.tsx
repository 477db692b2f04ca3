/** @jsxImportSource preact */
import { panelStrings as w } from "../../strings/panel.js";
import { Absent, CopyCurl, Heading, Loaded } from "../parts/bits.js";
import { PanelFrame } from "../parts/panel-frame.js";
import { panels } from "../state/services.js";
import "../shell.js";
import { definePage } from "../page-code.js";

/** The tab of one service's panel. */
function PanelPage({ name }: { name: string }) {
  return (
    <>
      <Heading title={name}>
        <CopyCurl path={`/${name}/_panel`} />
      </Heading>
      <Loaded from={panels}>
        {(list) => {
          const panel = list.find((candidate) => candidate.name === name);
          if (panel) return <PanelFrame key={panel.version} name={name} />;
          return <Absent service={name} text={w.gone(name)} hint={w.goneHint} />;
        }}
      </Loaded>
    </>
  );
}

definePage("panels", ([, name = ""]) => <PanelPage key={name} name={name} />);
