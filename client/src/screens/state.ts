/** What the screens share: the open vault, what is held on the phone, how the last exchange went. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import type { Caseload } from "../storage/caseload";
import type { Health } from "../storage/health";
import type { Draft } from "../storage/drafts";
import type { RecordCounts } from "../storage/record_counts";
import type { OutboxLine } from "../storage/outbox";
import type { Vault } from "../storage/vault";
import type { Outcome } from "../sync/exchange";

export interface Held {
  forms: FormDefinition[];
  lines: OutboxLine[];
  drafts: Draft[];
  ledger: RecordCounts;
  book: Caseload;
  health: Health;
}

export interface AppState extends Held {
  vault: Vault;
  outcome: Outcome | "unknown";
  isReady: boolean; // shell, forms and areas checked: the app works without signal
  refresh: () => Promise<void>;
  exchange: () => Promise<void>;
  lock: () => void;
  hide: () => void;
  relanguage: (code: string) => void;
}

export const State = createContext<AppState>(null as unknown as AppState);

export function useApp(): AppState {
  return useContext(State);
}

export function go(path: string): void {
  location.hash = path;
}
