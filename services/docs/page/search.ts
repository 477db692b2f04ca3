/** What of the documentation answers a search. */
import type { Docs, RouteEntry, ServiceEntry } from "../model.js";

/** The documentation reduced to what contains every word, upper and lower case alike; all of it for no words. */
export function search(docs: Docs, query: string): { docs: Docs; matches: number } {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hit = (...texts: Array<string | undefined>) => {
    const text = texts.join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const routes = (name: string, entries: RouteEntry[]) =>
    entries.filter(({ method, path, route, summary, detail, params, query: inQuery, body }) => {
      const fields = Object.keys({ ...params, ...inQuery, ...body }).join(" ");
      return hit(name, `${method} ${path}`, route, summary, detail, fields);
    });
  const services = docs.services
    .map((service): ServiceEntry => {
      if (words.length > 0 && hit(service.name)) return service;
      return {
        ...service,
        routes: routes(service.name, service.routes),
        events: service.events.filter(({ name, description }) => hit(service.name, name, description)),
        methods: service.methods.filter((method) =>
          hit(service.name, method.provider, `${method.service}.${method.name}`, method.description),
        ),
        tools: service.tools.filter(({ name, description }) => hit(service.name, name, description)),
      };
    })
    .filter((service) => words.length === 0 || sizeOf(service) > 0 || hit(service.name, service.description));
  const server = {
    routes: routes("server", docs.server.routes),
    events: docs.server.events.filter(({ name, description }) => hit("server", name, description)),
  };
  const skipped = docs.skipped.filter(({ name, reason }) => hit(name, reason));
  const matches =
    services.reduce((sum, service) => sum + sizeOf(service), 0) +
    server.routes.length +
    server.events.length +
    skipped.length;
  return { docs: { ...docs, services, server, skipped }, matches };
}

const sizeOf = ({ routes, events, methods, tools }: ServiceEntry) =>
  routes.length + events.length + methods.length + tools.length;
