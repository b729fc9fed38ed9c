/** Exchange with the centre: deliver what is finished, fetch what changed. One exchange at a time on a phone, in any tab. */

import { applyPulledChanges } from "../storage/caseload_updates";
import { changeCaseload, readCaseload } from "../storage/caseload";
import {
  findMainForm,
  findMissingAreas,
  findMissingForms,
  saveAreas,
  saveForms,
} from "../storage/forms";
import { readMapVersion, saveMaps } from "../storage/maps";
import { migrateFirstVersion } from "../storage/first_version";
import { saveAccount, type Vault } from "../storage/vault";
import { deliver, listOutbox, type Order } from "./deliver";
import {
  fetchAreas,
  fetchForm,
  fetchManifest,
  fetchMaps,
  type Manifest,
  Offline,
  pullPage,
  Refused,
} from "./server";

export type Outcome = "online" | "offline" | "signed-out" | "busy";
export interface ExchangeResult {
  outcome: Outcome;
  orders: Order[];
}

/**
 * Deliver and, with an open vault, fetch; says how it went. What the centre has not confirmed stays on the phone. While another
 * tab or the service worker is at it, this is "busy", or waits for them when it is patient.
 */
export async function exchange(vault: Vault | null, isPatient = false): Promise<ExchangeResult> {
  const run = async (): Promise<ExchangeResult> => {
    let orders: Order[] = [];
    const fetchAll = async ({ account }: Vault): Promise<void> =>
      fetchManifestContent(vault!, await fetchManifest(account.token, account.receipts));
    try {
      // A phone of an earlier version learns the centre's signing key first: it believes nobody without it.
      const isNew = vault !== null && !vault.account.receipts;
      if (isNew) await fetchAll(vault);
      orders = await deliver();
      const isOut = vault && orders.some((order) => order.user === vault.account.user);
      if (vault && !isOut) {
        if (!isNew) await fetchAll(vault);
        await pullChanges(vault);
      }
      return { outcome: "online", orders };
    } catch (error) {
      if (error instanceof Offline) return { outcome: "offline", orders };
      if (error instanceof Refused)
        return { outcome: error.code === "sync.token" ? "signed-out" : "offline", orders };
      throw error;
    }
  };
  if (!navigator.locks) return run();
  const options = { ifAvailable: !isPatient };
  return navigator.locks.request("fieldapp-exchange", options, (lock) =>
    lock ? run() : Promise.resolve({ outcome: "busy" as const, orders: [] }),
  );
}

/** Bring the book up to what the centre knows. */
async function pullChanges(vault: Vault): Promise<void> {
  const { token, receipts, user } = vault.account;
  for (;;) {
    const { cursor, finished, heard } = await readCaseload(vault);
    const isAllSent = !(await listOutbox()).some((row) => row.user === user);
    const pulled = await pullPage(token, receipts, cursor);
    if (pulled.items.length > 0 || pulled.reset || (isAllSent && heard !== finished))
      await changeCaseload(vault, (book) => {
        const isStill = isAllSent && !pulled.more && book.finished === finished;
        return book.cursor === cursor
          ? applyPulledChanges(book, pulled.items, pulled.cursor, isStill)
          : book;
      });
    if (!pulled.more) return;
  }
}

/** Hold what the manifest names: forms and areas, the centre's key, its rules. `isFirstIn` is called once one form is here. */
export async function fetchManifestContent(
  vault: Vault,
  manifest: Manifest,
  isFirstIn = (): void => undefined,
): Promise<void> {
  const { account } = vault;
  const { token, user } = account;
  const before = JSON.stringify(account);
  const { centre, worker, forms, areas = [] } = manifest;
  const listed = [
    ...forms.map(({ id, sha256 }) => ({ kind: "form" as const, id, sha256 })),
    ...areas.map(({ key, sha256 }) => ({ kind: "areas" as const, id: key, sha256 })),
  ];
  const { key = null, rules = account.rules, team = [] } = manifest;
  const receipts = account.receipts ?? manifest.receipts ?? null; // kept from the first time on: nobody slips in another
  Object.assign(account, { centre, worker, listed, key, receipts, rules, team });
  if (JSON.stringify(account) !== before) await saveAccount(vault);
  await migrateFirstVersion(vault);
  const wanted = await findMissingForms(user, forms);
  const texts = new Map<string, string>();
  const fetchOne = async (form: (typeof forms)[number]): Promise<void> => {
    texts.set(form.sha256, await fetchForm(token, form.id, form.version));
  };
  const workhorse = findMainForm(wanted);
  if (workhorse) {
    await fetchOne(workhorse);
    await saveForms(user, forms, texts);
  }
  isFirstIn();
  await Promise.all(wanted.filter((form) => form !== workhorse).map(fetchOne));
  await saveForms(user, forms, texts);
  const outlines = new Map<string, string>();
  for (const { key: name } of await findMissingAreas(user, areas))
    outlines.set(name, await fetchAreas(token, name));
  await saveAreas(user, areas, outlines);
  const mark = manifest.map ?? "";
  if (mark !== (await readMapVersion(user)) && account.receipts)
    await saveMaps(
      vault,
      mark,
      mark
        ? await fetchMaps(token, account.receipts)
        : { maps: { week: null, month: null }, viewer: "" },
    );
}
