/** What is to be known before the dashboard takes itself away. */
const bringsBack = (name: string, verb: string) =>
  name === "ui"
    ? ` This page is part of it and goes too; the call POST /services/${verb}/ui brings it back.`
    : "";

/** The words that every page of the dashboard may need. What only some say is in `strings/`, and loaded with them. */
export const strings = {
  shell: {
    title: "Reef",
    loading: "Loading…",
    noScript: "The dashboard needs JavaScript. Everything it shows is also there over HTTP.",
    unloaded: "The dashboard could not be loaded. Load this page anew.",
    skip: "Skip to the content",
    logOut: "Log out",
    theme: { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" },
    search: "Search and run",
    messages: "Messages",
    menu: "Pages",
    sessionOver: "Your session is over.",
    logIn: "Log in again",
  },
  going: {
    loading: (page: string) => `Loading ${page}…`,
    failed: (page: string) => `“${page}” could not be loaded`,
    away: "the server does not answer. Try again when it does.",
    changed: "the server has another version of the dashboard by now. Load the dashboard anew.",
    says: (status: string) => `the server says ${status}`,
    other: (why: string) => `${why}. Try again; if that does not help, load the dashboard anew.`,
    stays: "Until then this page stays as it is, with all that you have typed.",
    loses: "What you have typed into this page is lost with that: copy it first.",
    anew: "Load the dashboard anew",
  },
  nav: {
    overview: "Overview",
    services: "Services",
    events: "Events",
    broker: "Broker",
    tools: "Tools",
    agents: "Agents",
    installer: "Installer",
    docs: "Documentation",
    panels: "Panels",
    noPanels: "No service has a panel",
  },
  link: {
    connecting: "Connecting…",
    live: "Live",
    lost: (time: string) => `No connection for ${time}`,
    lastEvent: (time: string) => `last event ${time} ago`,
    noEvent: "no event yet",
    noFeed: "no event feed",
    stale: (time: string) =>
      `The connection was lost ${time} ago. What you see is from before that; trying again.`,
    /** `events` that were caught up with; undefined when not all of them could be. */
    back: (away: string, restarted: boolean, events: number | undefined) => {
      const what = restarted ? "The server was restarted; connected again" : "Connected again";
      const missed =
        events === undefined
          ? "everything was loaded anew"
          : events === 0
            ? "nothing was missed"
            : `caught up ${events} event${events === 1 ? "" : "s"}`;
      return `${what} after ${away}: ${missed}.`;
    },
  },
  common: {
    loading: "Loading…",
    copy: "Copy",
    copied: "Copied",
    copyCurl: "Copy as curl",
    byHand: "Copy this",
    cancel: "Cancel",
    close: "Close",
    dismiss: "Dismiss",
    retry: "Try again",
    failed: "This could not be loaded",
    noAnswer: "The server does not answer.",
    none: "none",
    ago: (time: string) => `${time} ago`,
    name: "Name",
    state: "State",
    absent: (service: string) => `The service “${service}” is not loaded`,
    absentHint: "Load it, and this page fills by itself:",
    offHint: "It is switched off. Switch it on, and this page fills by itself:",
    noMessages: "No messages so far.",
    unknownPage: "There is no such page",
    unknownPageHint: "The address leads nowhere. The overview has everything:",
    actions: "Actions",
    log: "Log",
    noEvents: "No events yet. Publish the first:",
    failedChange: "Last failed change",
    states: { loaded: "loaded", loading: "loading", failed: "failed", disabled: "off" },
  },
  filter: {
    words: "Words",
    hint: "Words to look for",
    any: "any",
    clear: "Clear",
    of: (found: string, all: number) => `${found} of ${all}`,
    none: "Nothing matches.",
  },
  actions: {
    rollback: "Roll back",
    reloaded: (name: string) => `${name} was reloaded.`,
    enabled: (name: string) => `${name} is switched on.`,
    disabled: (name: string) => `${name} is switched off.`,
    unloaded: (name: string) => `${name} was unloaded.`,
    rolledBack: (name: string) => `${name} was rolled back.`,
    deployed: (name: string) => `${name} was deployed.`,
    notDeployed: (name: string, why: string) => `${name} was not deployed: ${why}`,
    unclear: (name: string) =>
      `The connection was lost while ${name} was deployed. Its state says what came of it.`,
    synced: (changed: number, failed: number) =>
      `${changed} service${changed === 1 ? "" : "s"} changed, ${failed} failed.`,
    askDisable: (name: string) => ({
      title: `Switch off ${name}?`,
      text: `It stops answering and stays off, also after a restart, until it is switched on again. Its data stays.${bringsBack(name, "enable")}`,
      verb: "Switch off",
    }),
    askUnload: (name: string) => ({
      title: `Unload ${name}?`,
      text: `It stops answering until it is loaded again or the server restarts. Its folder and data stay.${bringsBack(name, "reload")}`,
      verb: "Unload",
    }),
    askRollback: (name: string) => ({
      title: `Roll back ${name}?`,
      text: "An earlier version's code replaces the files in the folder. The present code is kept, its data stays.",
      verb: "Roll back",
    }),
  },
  palette: {
    title: "Search and run",
    placeholder: "Go to, do, find…",
    empty: "Nothing fits.",
    kinds: { page: "page", panel: "panel", service: "service", action: "do", method: "method", tool: "tool" },
    reload: (name: string) => `Reload ${name}`,
    deploy: (name: string) => `Deploy ${name}`,
    disable: (name: string) => `Switch off ${name}`,
    enable: (name: string) => `Switch on ${name}`,
    rollback: (name: string) => `Roll back ${name}`,
    theme: "Change the colours",
    help: "Keyboard shortcuts",
  },
  help: {
    title: "Keyboard shortcuts",
    open: "Search and run",
    help: "This list",
    find: "Go to the page's search field",
    clear: "Show everything again, and then leave the field",
    go: (page: string) => `Go to ${page}`,
    move: "Move in the list of events",
    fold: "Close or open a thread",
    enter: "Show the chosen event",
    theme: "Change the colours",
  },
};
