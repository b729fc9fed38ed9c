/** What the screens share: the open vault, the forms, how the last exchange went. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import type { OutboxRow } from "../storage/database";
import type { Ledger } from "../storage/records";
import type { Vault } from "../storage/vault";
import type { Outcome } from "../sync/exchange";

export interface AppState {
  vault: Vault;
  forms: FormDefinition[];
  outbox: OutboxRow[];
  drafts: { id: string; form: string; changedAt: number }[];
  ledger: Ledger;
  outcome: Outcome | "unknown";
  isReady: boolean; // shell and forms checked: the app works without signal
  refresh: () => Promise<void>;
  exchange: () => Promise<void>;
  lock: () => void;
  relanguage: (code: string) => void;
}

export const State = createContext<AppState>(null as unknown as AppState);

export function useApp(): AppState {
  return useContext(State);
}

export function go(path: string): void {
  location.hash = path;
}
