/** What is on the phone for the worker who is in, read again after each change. */

import { useCallback, useState } from "preact/hooks";
import type { PhoneContent } from "../screens/state";
import { readCaseload } from "../storage/caseload";
import { listDrafts } from "../storage/drafts";
import { listCurrentForms } from "../storage/forms";
import { checkStorage } from "../storage/health";
import { listLines } from "../storage/outbox";
import { countRecords, getCounters, raiseHighWater } from "../storage/record_counts";
import type { Vault } from "../storage/vault";

async function readContent(vault: Vault): Promise<PhoneContent> {
  const { user } = vault.account;
  const [counters, forms, lines, drafts, ledger, book, health] = await Promise.all([
    getCounters(user),
    listCurrentForms(user),
    listLines(vault),
    listDrafts(vault),
    countRecords(user),
    readCaseload(vault),
    checkStorage(),
  ]);
  raiseHighWater(counters);
  return { forms, lines, drafts, ledger, book, health };
}

/** The content, null until it was read, and a function to read it again. */
export function useContent(vault: Vault): [PhoneContent | null, () => Promise<void>] {
  const [content, setContent] = useState<PhoneContent | null>(null);
  const refresh = useCallback(async () => setContent(await readContent(vault)), [vault]);
  return [content, refresh];
}
