/** What only a browser has: the viewer's token, the place in the page, the state of the connection. */
import { createContext } from "preact";

export interface BrowserState {
  /** The viewer's token; in memory, and in this tab's session storage when they asked for that. */
  token: string;
  setToken(token: string, keep: boolean): void;
  kept: boolean;
  /** Moves the keyboard to the field for the token. */
  askForToken(): void;
  /** A route was opened: the address follows. */
  visit(id: string): void;
}

/** Undefined while the server makes the page. */
export const Browser = createContext<BrowserState | undefined>(undefined);
