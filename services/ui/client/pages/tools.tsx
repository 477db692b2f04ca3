/** @jsxImportSource preact */
/** The tools that agents get, from wherever they come. */
import { useEffect } from "preact/hooks";
import { toolsStrings as w } from "../../strings/tools.js";
import { api } from "../api.js";
import { Badge, CopyCurl, Empty, Heading, Json, Loaded, Section, Text } from "../parts/bits.js";
import { Filter, Found } from "../parts/filter.js";
import { to } from "../router.js";
import { onMessage } from "../state/live.js";
import { useResource } from "../state/resource.js";
import "../shell.js";
import { definePage } from "../page-code.js";

interface Tool {
  name: string;
  label?: string;
  description: string;
  inputSchema?: unknown;
  owner: { service?: string; plugin?: string; via?: string };
  annotations?: { readOnly?: boolean; destructive?: boolean; idempotent?: boolean };
}

interface Catalogue {
  tools: Tool[];
  problems: Array<{ service: string; tool?: string; error: string }>;
}

function Item({ tool: { name, label, description, inputSchema, owner, annotations = {} } }: { tool: Tool }) {
  return (
    <li class="card">
      <div class="row">
        <code>
          <b>{name}</b>
        </code>
        {label && label !== name && <span class="dim">{label}</span>}
        {annotations.readOnly && <Badge tone="good">{w.readOnly}</Badge>}
        {annotations.destructive && <Badge tone="bad">{w.destructive}</Badge>}
        {annotations.idempotent && !annotations.readOnly && <Badge tone="info">{w.idempotent}</Badge>}
      </div>
      <Text text={description} label={name} />
      <p class="dim">
        {w.owner}{" "}
        {owner.service ? (
          <a href={to("services", owner.service)}>{owner.service}</a>
        ) : (
          `${owner.plugin} (${owner.via})`
        )}
      </p>
      {inputSchema !== undefined && (
        <details>
          <summary>
            {w.schema} <span class="hidden">{name}</span>
          </summary>
          <Json value={inputSchema} label={`${w.schema}: ${name}`} />
        </details>
      )}
    </li>
  );
}

function ToolsPage() {
  const catalogue = useResource("tools", () => api<Catalogue>("GET", "/services/tools"));
  useEffect(() => onMessage(({ kind }) => kind === "services" && void catalogue.load()), [catalogue]);
  return (
    <>
      <Heading title={w.title}>
        <Filter />
        <CopyCurl path="/services/tools" />
      </Heading>
      <Loaded from={catalogue} service="services">
        {({ tools, problems }) => (
          <>
            {tools.length === 0 && <Empty text={w.empty} path="/services/manifest" />}
            <Found
              all={tools}
              textOf={({ name, description, owner }) =>
                `${name} ${description} ${owner.service ?? owner.plugin}`
              }
              count={w.count}
            >
              {(found) => (
                <ul class="cards wide">
                  {found.map((tool) => (
                    <Item key={tool.name} tool={tool} />
                  ))}
                </ul>
              )}
            </Found>
            {problems.length > 0 && (
              <Section title={w.problems}>
                {problems.map(({ service, tool, error }) => (
                  <p key={`${service} ${tool} ${error}`} class="problem">
                    <a href={to("services", service)}>{service}</a>
                    {tool && <> · {tool}</>}: {error}
                  </p>
                ))}
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

definePage("tools", () => <ToolsPage />);
