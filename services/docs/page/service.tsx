/** @jsxImportSource preact */
/** One service with everything it offers. */
import type {
  Docs,
  EventEntry,
  MethodEntry,
  ServiceEntry,
  SkippedEntry,
  ToolEntry,
  Trouble,
} from "../model.js";
import { Fold, JsonBlock, Prose } from "./parts.js";
import { Route } from "./route.js";

export function Service({ service }: { service: ServiceEntry }) {
  const { name, description, auth, routes, dependencies, events, methods, tools, failure } = service;
  const empty = routes.length + events.length + methods.length + tools.length === 0;
  return (
    <section class="service" aria-labelledby={`service/${name}`}>
      <h2 id={`service/${name}`} tabIndex={-1}>
        {name}
      </h2>
      <Prose text={description} />
      <p class="tags">
        {!auth && <span class="tag">no token</span>}
        {labels(service).map((label) => (
          <span key={label} class="tag">
            {label}
          </span>
        ))}
        {dependencies.length > 0 && <span class="tag">needs {dependencies.join(", ")}</span>}
      </p>
      {failure && (
        <TroubleText
          title="The latest change failed; the previous version keeps serving."
          trouble={failure}
        />
      )}
      {routes.map((route) => (
        <Route key={route.id} route={route} />
      ))}
      <Methods methods={methods} />
      <Tools tools={tools} />
      <Events events={events} />
      {empty && <p class="dim">No HTTP routes.</p>}
    </section>
  );
}

function labels({ capabilities }: ServiceEntry): string[] {
  const { hasTools, hasBehaviors, hasWidget } = capabilities;
  return [hasTools && "tools", hasBehaviors && "behaviours", hasWidget && "widget"].filter(
    (label): label is string => typeof label === "string",
  );
}

/** The server's own routes and events. */
export function Server({ server }: { server: Docs["server"] }) {
  if (server.routes.length + server.events.length === 0) return null;
  return (
    <section class="service" aria-labelledby="service/server">
      <h2 id="service/server" tabIndex={-1}>
        server
      </h2>
      <Prose text="Routes of the server itself." />
      {server.routes.map((route) => (
        <Route key={route.id} route={route} />
      ))}
      <Events events={server.events} />
    </section>
  );
}

export function Skipped({ skipped }: { skipped: SkippedEntry[] }) {
  if (skipped.length === 0) return null;
  return (
    <section class="service" aria-labelledby="skipped">
      <h2 id="skipped" tabIndex={-1}>
        Not loaded
      </h2>
      {skipped.map((entry) => (
        <TroubleText key={`${entry.name} ${entry.code}`} title={entry.name} trouble={entry} />
      ))}
    </section>
  );
}

function TroubleText({ title, trouble }: { title: string; trouble: Trouble }) {
  const { code, reason, help, at } = trouble;
  return (
    <div class="trouble">
      <h3>{title}</h3>
      <p>{reason}</p>
      {help && <p class="dim">{help}</p>}
      <p class="dim">
        <code>{code}</code> {at && <time dateTime={at}>{at}</time>}
      </p>
    </div>
  );
}

function Methods({ methods }: { methods: MethodEntry[] }) {
  if (methods.length === 0) return null;
  return (
    <>
      <h3 class="group">Methods</h3>
      {methods.map(({ provider, service, name, description, inputSchema, outputSchema }) => (
        <div class="offer" key={`${provider}/${service}/${name}`}>
          <h4>
            <code>
              {provider} {service}.{name}
            </code>
          </h4>
          <Prose text={description} />
          <Fold title="Schemas">
            <JsonBlock
              value={{ input: inputSchema, output: outputSchema }}
              label={`Schemas of ${service}.${name}`}
            />
          </Fold>
        </div>
      ))}
    </>
  );
}

function Tools({ tools }: { tools: ToolEntry[] }) {
  if (tools.length === 0) return null;
  return (
    <>
      <h3 class="group">Tools for agents</h3>
      {tools.map(({ name, description, parameters }) => (
        <div class="offer" key={name}>
          <h4>
            <code>{name}</code>
          </h4>
          <Prose text={description} />
          <Fold title="Parameters">
            <JsonBlock value={parameters} label={`Parameters of ${name}`} />
          </Fold>
        </div>
      ))}
    </>
  );
}

function Events({ events }: { events: EventEntry[] }) {
  if (events.length === 0) return null;
  return (
    <>
      <h3 class="group">Events</h3>
      {events.map(({ name, description, schema, example }) => (
        <div class="offer" key={name}>
          <h4>
            <code>{name}</code>
          </h4>
          <Prose text={description} />
          {(schema ?? example) !== undefined && (
            <Fold title="Data">
              <JsonBlock value={{ schema, example }} label={`Data of ${name}`} />
            </Fold>
          )}
        </div>
      ))}
    </>
  );
}
