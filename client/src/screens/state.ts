/** What the screens share: the open vault, what is on the phone, how the last exchange went. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import type { Book } from "../storage/book";
import type { Health } from "../storage/health";
import type { Draft, Ledger, Line } from "../storage/records";
import type { Vault } from "../storage/vault";
import type { Outcome } from "../sync/exchange";

/** What is stored on the phone for the worker who is in. */
export interface PhoneContent {
  forms: FormDefinition[];
  lines: Line[];
  drafts: Draft[];
  ledger: Ledger;
  book: Book;
  health: Health;
}

export interface AppState extends PhoneContent {
  vault: Vault;
  outcome: Outcome | "unknown";
  isReady: boolean; // shell, forms and areas checked: the app works without signal
  refresh: () => Promise<void>;
  exchange: () => Promise<void>;
  lock: () => void;
  hide: () => void;
  changeLanguage: (code: string) => void;
}

export const AppContext = createContext<AppState>(null as unknown as AppState);

export function useApp(): AppState {
  return useContext(AppContext);
}

/** Show another screen: a path such as /today. */
export function go(path: string): void {
  location.hash = path;
}
