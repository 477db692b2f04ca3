/** What the panel reads of `GET /installer/installed`. */
interface Entry {
  dirName: string;
  name: string;
  source: string;
  type: string;
  ref?: string;
  commit?: string;
  digest: string;
  linked?: boolean;
  permissions: string[];
  updatedAt: string;
  previous?: object;
}

/** What the panel reads of `GET /installer/jobs`. */
interface JobEntry {
  action: string;
  dirName: string;
  status: string;
  error?: string;
  steps: Array<{ step: string; status: string }>;
}

/**
 * The panel's code in the browser: its text is put into the page, so it may use nothing from outside itself.
 * Data reaches the page as text nodes only, never as HTML.
 *
 * @param api Where the dashboard's proxy is, e.g. `/ui/api`.
 */
export function installerPanel(root: HTMLElement, api: string): void {
  const POLL_MS = 3000;
  const SHOWN_JOBS = 5;

  function element<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    className: string,
    ...content: (string | Node)[]
  ) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...content);
    return made;
  }

  const notice = element("p", "notice");
  notice.setAttribute("role", "status");
  const form = element("form", "install");
  const list = element("div", "list", element("p", "empty", "Loading…"));
  const jobs = element("div", "jobs");

  function field(name: string, label: string, type = "text") {
    const input = element("input", "");
    input.name = name;
    input.type = type;
    input.setAttribute("aria-label", label);
    if (type !== "checkbox") input.placeholder = label;
    return input;
  }

  const source = field("source", "user/repo, git URL, path or http://other-reef:3000");
  const name = field("name", "service name (for another Reef)");
  const token = field("token", "token (if required)", "password");
  token.autocomplete = "off";
  const test = field("test", "Run its tests", "checkbox");
  form.append(
    source,
    name,
    token,
    element("label", "", test, " run its tests"),
    element("button", "", "Install"),
  );
  root.replaceChildren(form, notice, list, element("h3", "", "Latest jobs"), jobs);

  async function request<T>(path: string, body?: object): Promise<T> {
    const init = body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const reply = await fetch(`${api}/installer${path}`, init);
    const data = await reply.json().catch(() => ({}));
    if (!reply.ok) throw new Error(data.error ?? `the server returned ${reply.status}`);
    return data;
  }

  function say(text: string): void {
    notice.textContent = text;
  }

  async function begin(path: string, body: object, what: string): Promise<void> {
    try {
      await request(path, { ...body, background: true });
      say(`${what} …`);
      await load();
    } catch (error) {
      say((error as Error).message);
    }
  }

  /** What is in the field, which is empty afterwards. */
  function secret(): { token?: string } {
    const given = token.value === "" ? {} : { token: token.value };
    token.value = "";
    return given;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const isFleet = name.value !== "" && /^https?:\/\//.test(source.value);
    const where = isFleet ? { from: source.value, name: name.value } : { source: source.value };
    void begin("/install", { ...where, ...secret(), test: test.checked }, `Installing ${source.value}`);
  });

  function button(label: string, entry: Entry, path: string, confirmed = false): HTMLElement {
    const made = element("button", "", label);
    made.type = "button";
    made.addEventListener("click", () => {
      // It may have been meant for another source.
      const withToken = path === "/update" && token.value !== "";
      if ((confirmed || withToken) && made.dataset.asked !== "yes") {
        made.dataset.asked = "yes";
        made.textContent = withToken ? `${label} with the token: sure?` : `${label}: sure?`;
        return;
      }
      const more = withToken ? secret() : {};
      void begin(path, { name: entry.dirName, ...more }, `${label} ${entry.dirName}`);
    });
    return made;
  }

  function card(entry: Entry): HTMLElement {
    const version = (entry.commit ?? entry.digest).slice(0, 12);
    const facts = [
      entry.linked ? "linked" : entry.type,
      entry.ref,
      version,
      entry.updatedAt.slice(0, 16).replace("T", " "),
    ];
    const actions = element("div", "actions", button("Update", entry, "/update"));
    if (entry.previous) actions.append(button("Roll back", entry, "/rollback"));
    actions.append(button("Remove", entry, "/remove", true));
    const made = element(
      "div",
      "card",
      element("div", "title", entry.name),
      element("div", "facts", entry.source),
      element("div", "facts", facts.filter(Boolean).join(" · ")),
    );
    if (entry.permissions.length > 0)
      made.append(element("div", "facts", `permissions: ${entry.permissions.join(", ")}`));
    made.append(actions);
    return made;
  }

  function line({ action, dirName, status, error, steps }: JobEntry): HTMLElement {
    const last = steps.at(-1)?.step ?? "";
    const outcome = status === "running" ? `${last} …` : (error ?? status);
    return element("div", `job ${status}`, `${action} ${dirName}: ${outcome}`);
  }

  /** What each part shows. Drawing it again would take the focus from a button, and back what it asks. */
  const shown = new Map<HTMLElement, string>();
  function show<T>(part: HTMLElement, items: T[], draw: (item: T) => HTMLElement, none: string): void {
    const now = JSON.stringify(items);
    if (now === shown.get(part)) return;
    shown.set(part, now);
    part.replaceChildren(...(items.length > 0 ? items.map(draw) : [element("p", "empty", none)]));
  }

  async function load(): Promise<void> {
    try {
      const [{ installed }, recent] = await Promise.all([
        request<{ installed: Entry[] }>("/installed"),
        request<{ jobs: JobEntry[] }>("/jobs"),
      ]);
      show(list, installed, card, "No installed services.");
      show(jobs, recent.jobs.slice(0, SHOWN_JOBS), line, "No jobs yet.");
    } catch (error) {
      shown.delete(list);
      list.replaceChildren(element("p", "empty", `Unavailable: ${(error as Error).message}`));
    }
  }

  void load();
  setInterval(() => void load(), POLL_MS);
}
