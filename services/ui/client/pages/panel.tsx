/** @jsxImportSource preact */
import { strings as t } from "../../strings.js";
import { Absent, CopyCurl, Heading, Loaded } from "../parts/bits.js";
import { PanelFrame } from "../parts/panel-frame.js";
import { panels } from "../state/services.js";

/** The tab of one service's panel. */
export function PanelPage({ name }: { name: string }) {
  return (
    <>
      <Heading title={name}>
        <CopyCurl path={`/${name}/_panel`} />
      </Heading>
      <Loaded from={panels}>
        {(list) => {
          const panel = list.find((candidate) => candidate.name === name);
          if (panel) return <PanelFrame key={panel.version} name={name} />;
          return <Absent service={name} text={t.panel.gone(name)} hint={t.panel.goneHint} />;
        }}
      </Loaded>
    </>
  );
}
