/** The words of the page of tools. */
export const toolsStrings = {
  title: "Tools",
  empty: "No service gives tools to agents. A service with registerTools does; see what is there with:",
  schema: "Parameters",
  problems: "Problems",
  owner: "From",
  count: (count: number) => `${count} tool${count === 1 ? "" : "s"}`,
  readOnly: "reads only",
  destructive: "destroys",
  idempotent: "repeatable",
};
