import type { Status, Task } from "./task.js";

/** One click on a card: what the button says and the request it sends. */
interface Action {
  label: string;
  method: string;
  rest: string;
  body: Record<string, string>;
}

/**
 * The panel's code in the browser: its text is put into the page, so it may use nothing from outside itself.
 * Data reaches the page as text nodes only, never as HTML.
 *
 * @param api Where the dashboard's proxy is, e.g. `/ui/api`.
 */
export function boardPanel(root: HTMLElement, api: string): void {
  const POLL_MS = 5000;
  const SHOWN_TASKS = 50;
  const change = (label: string, status: Status): Action => ({
    label,
    method: "PATCH",
    rest: "",
    body: { status },
  });
  const COLUMNS: { status: Status; title: string; actions: Action[] }[] = [
    { status: "open", title: "Open", actions: [change("Start", "in_progress")] },
    {
      status: "in_progress",
      title: "In progress",
      actions: [{ label: "Submit", method: "POST", rest: "/review", body: {} }, change("Block", "blocked")],
    },
    { status: "blocked", title: "Blocked", actions: [change("Resume", "in_progress")] },
    {
      status: "in_review",
      title: "In review",
      actions: [
        { label: "Approve", method: "POST", rest: "/approve", body: {} },
        change("Back to work", "in_progress"),
      ],
    },
    { status: "done", title: "Done", actions: [change("Reopen", "open")] },
  ];

  function element(tag: string, className: string, ...content: (string | Node)[]): HTMLElement {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...content);
    return made;
  }

  const notice = element("p", "notice");
  notice.setAttribute("role", "status");
  const columns = element("div", "columns", element("p", "empty", "Loading…"));
  root.replaceChildren(notice, columns);
  let shown = "";
  let shownAt = "";

  async function request(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(`${api}/board${path}`, init);
    const reply = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(reply.error || `status ${response.status}`);
    return reply;
  }

  async function load(): Promise<void> {
    try {
      const lists = await Promise.all(
        COLUMNS.map(({ status }) => request(`/tasks?status=${status}&limit=${SHOWN_TASKS}`)),
      );
      shownAt = new Date().toLocaleTimeString();
      notice.textContent = "";
      const state = JSON.stringify(lists);
      // Drawing again would take the focus away from a button.
      if (state === shown) return;
      shown = state;
      columns.replaceChildren(
        ...lists.map((list, index) => column(index, list as { tasks: Task[]; total: number })),
      );
    } catch (error) {
      const stale = shownAt ? ` Last update: ${shownAt}.` : "";
      notice.textContent = `The board is unavailable: ${(error as Error).message}.${stale}`;
      if (!shownAt) columns.replaceChildren();
    }
  }

  function column(index: number, { tasks, total }: { tasks: Task[]; total: number }): HTMLElement {
    const { title, actions } = COLUMNS[index] as (typeof COLUMNS)[number];
    const cards = tasks.map((task) => card(task, actions));
    if (total > tasks.length) cards.push(element("p", "empty", `and ${total - tasks.length} more`));
    if (total === 0) cards.push(element("p", "empty", "No tasks"));
    return element("section", "column", element("h3", "", `${title} (${total})`), ...cards);
  }

  function card(task: Task, actions: Action[]): HTMLElement {
    const facts = [task.assignee ?? "nobody"];
    if (task.score > 0) facts.push(`+${task.score}`);
    if (task.notes.length > 0) facts.push(`${task.notes.length} notes`);
    const made = element(
      "article",
      "card",
      element("div", "title", task.title),
      element("div", "facts", facts.join(" · ")),
      ...task.tags.map((tag) => element("span", "tag", tag)),
    );
    made.title = task.description ?? "";
    made.append(element("div", "actions", ...actions.map((action) => button(task, action))));
    return made;
  }

  function button(task: Task, { label, method, rest, body }: Action): HTMLElement {
    const made = element("button", "", label) as HTMLButtonElement;
    made.type = "button";
    made.setAttribute("aria-label", `${label}: ${task.title}`);
    made.addEventListener("click", async () => {
      made.disabled = true;
      let problem = "";
      try {
        await request(`/tasks/${encodeURIComponent(task.id)}${rest}`, {
          method,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      } catch (error) {
        problem = `${label} failed: ${(error as Error).message}`;
      }
      made.disabled = false;
      await load();
      if (problem) notice.textContent = problem;
    });
    return made;
  }

  void load();
  const poll = setInterval(() => {
    if (!root.isConnected) clearInterval(poll);
    else if (!document.hidden) void load();
  }, POLL_MS);
}
