/** The words of the page of tools. */
export const toolsStrings = {
  title: "Tools",
  empty: "No tools. Services add tools with registerTools. To list them:",
  schema: "Parameters",
  problems: "Problems",
  owner: "Owner",
  count: (count: number) => `${count} tool${count === 1 ? "" : "s"}`,
  readOnly: "read-only",
  destructive: "destructive",
  idempotent: "idempotent",
};
