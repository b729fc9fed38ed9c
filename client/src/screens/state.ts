/** What the screens share: the open vault, what is on the phone, how the last exchange went. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import type { Caseload } from "../storage/caseload";
import type { Draft } from "../storage/drafts";
import type { StorageHealth } from "../storage/health";
import type { OutboxLine } from "../storage/outbox";
import type { RecordCounts } from "../storage/record_counts";
import type { Vault } from "../storage/vault";
import type { Outcome } from "../sync/exchange";

/** What is stored on the phone for the worker who is in. */
export interface PhoneContent {
  forms: FormDefinition[];
  lines: OutboxLine[];
  drafts: Draft[];
  ledger: RecordCounts;
  book: Caseload;
  health: StorageHealth;
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

/** Show another screen in place of this one, to which Back does not lead any more. */
export function replaceWith(path: string): void {
  location.replace(`#${path}`);
}

/**
 * Whether the worker is still where they are now, to be asked by what takes a while before it shows
 * another screen: nobody who went back or hid the app meanwhile is taken away from what they see.
 */
export function noteScreen(): () => boolean {
  const here = location.hash;
  return () => location.hash === here;
}
