/** Screens of the app with a vault open: what is on the phone is handed in, acts really store. */

import type { ComponentChild } from "preact";
import { installBrowser } from "./browser";
import { Centre } from "./centre";
import { installPage, setConfirm, show, type Shown } from "./page";
import { makeVault } from "./vaults";
import type { FormDefinition } from "../src/engine/definition";
import { AppContext, type AppState } from "../src/screens/state";
import { deleteDatabase } from "../src/storage/database";
import { type Caseload, EMPTY_CASELOAD } from "../src/storage/caseload";
import type { Account, Rules, Vault } from "../src/storage/vault";
import { makeForm } from "./forms";

export const NO_CASELOAD = EMPTY_CASELOAD;

export const NO_COUNTS = { made: 0, delivered: 0, kept: 0, deleted: 0, waiting: 0, lost: 0 };

export interface ScreenOptions extends Partial<Omit<AppState, "book" | "ledger">> {
  book?: Partial<Caseload>;
  ledger?: Partial<AppState["ledger"]>;
  account?: Partial<Account>;
  rules?: Partial<Rules>;
  /** What the worker says when asked whether they are sure. */
  isSure?: boolean;
  /** Store something before the screen opens. */
  arrange?: (vault: Vault) => Promise<unknown>;
}

export interface Screen {
  shown: Shown;
  app: AppState;
  centre: Centre;
  /** What the screen asked the app to do, in order. */
  calls: string[];
  /** What the worker was asked to confirm. */
  questions: string[];
}

/** A form that is on the phone, with nothing in it that matters. */
export function formCalled(id: string, title: string): FormDefinition {
  return makeForm([{ type: "text", name: "q", label: "Q" }], { id, title: { en: title } });
}

export async function openScreen(
  content: ComponentChild,
  options: ScreenOptions = {},
): Promise<Screen> {
  const { book, ledger, account, rules, isSure = true, arrange, ...state } = options;
  await deleteDatabase().catch(() => undefined);
  installBrowser();
  installPage();
  location.hash = "";
  const centre = new Centre();
  const vault = await makeVault(centre, account);
  Object.assign(vault.account.rules, rules);
  await arrange?.(vault);
  const calls: string[] = [];
  const note = (name: string) => () => Promise.resolve(void calls.push(name));
  const app: AppState = {
    vault,
    forms: [],
    lines: [],
    drafts: [],
    ledger: { ...NO_COUNTS, ...ledger },
    book: { ...NO_CASELOAD, ...book },
    health: { isKept: true, freeMb: null },
    outcome: "online",
    isReady: true,
    refresh: note("refresh"),
    exchange: note("exchange"),
    lock: () => void calls.push("lock"),
    hide: () => void calls.push("hide"),
    changeLanguage: (code) => void calls.push(`language ${code}`),
    ...state,
  };
  const questions = setConfirm(isSure);
  const shown = await show(<AppContext.Provider value={app}>{content}</AppContext.Provider>);
  return { shown, app, centre, calls, questions };
}
