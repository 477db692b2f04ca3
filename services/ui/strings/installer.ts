/** The words of the installer's page. */
export const installerStrings = {
  title: "Installer",
  empty: "Nothing has been installed from outside. To install from git:",
  source: "Source",
  sourceHint: "user/repo, a git URL, or a path on the server; @ref chooses a branch or tag",
  install: "Install",
  installing: "Installing…",
  installed: (name: string) => `${name} was installed.`,
  update: "Update",
  updated: (name: string) => `${name} was updated.`,
  remove: "Remove",
  removed: (name: string) => `${name} was removed.`,
  askRemove: (name: string) => ({
    title: `Remove ${name}?`,
    text: "The service is unloaded and its folder is deleted.",
    verb: "Remove",
  }),
  askInstall: (source: string) => ({
    title: "Install this service?",
    about: source,
    text: "It becomes part of this server: its code runs with everything the server may do. Install only what you trust.",
    verb: "Install",
  }),
  type: "Kind",
  at: "Installed",
  ref: "Version",
  progress: "Progress",
};
