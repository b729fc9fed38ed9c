/** Exchange with the centre: deliver what is finished, fetch what changed. One exchange at a time on a phone, in any tab. */

import { applied, changeBook, readBook } from "../storage/book";
import { keepAreas, keepForms, mainForm, missing, missingAreas } from "../storage/forms";
import { heldMark, keepMaps } from "../storage/maps";
import { modernise } from "../storage/records";
import { keepAccount, type Vault } from "../storage/vault";
import { deliver, queue, type Order } from "./deliver";
import { fetchAreas, fetchForm, fetchManifest, fetchMaps, Offline, pull, Refused, type Manifest } from "./server";

export type Outcome = "online" | "offline" | "signed-out" | "busy";
export interface Exchanged {
  outcome: Outcome;
  orders: Order[];
}

/**
 * Deliver and, with an open vault, fetch; says how it went. What the centre has not confirmed stays on the phone. While another
 * tab or the service worker is at it, this is "busy", or waits for them when it is patient.
 */
export async function exchange(vault: Vault | null, isPatient = false): Promise<Exchanged> {
  const run = async (): Promise<Exchanged> => {
    let orders: Order[] = [];
    const fetchAll = async ({ account }: Vault): Promise<void> =>
      fetchChanges(vault!, await fetchManifest(account.token, account.receipts));
    try {
      // A phone of an earlier version learns the centre's signing key first: it believes nobody without it.
      const isNew = vault !== null && !vault.account.receipts;
      if (isNew) await fetchAll(vault);
      orders = await deliver();
      const isOut = vault && orders.some((order) => order.user === vault.account.user);
      if (vault && !isOut) {
        if (!isNew) await fetchAll(vault);
        await pullAll(vault);
      }
      return { outcome: "online", orders };
    } catch (error) {
      if (error instanceof Offline) return { outcome: "offline", orders };
      if (error instanceof Refused) return { outcome: error.code === "sync.token" ? "signed-out" : "offline", orders };
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
async function pullAll(vault: Vault): Promise<void> {
  const { token, receipts, user } = vault.account;
  for (;;) {
    const { cursor, finished, heard } = await readBook(vault);
    const isAllSent = !(await queue()).some((row) => row.user === user);
    const pulled = await pull(token, receipts, cursor);
    if (pulled.items.length > 0 || pulled.reset || (isAllSent && heard !== finished))
      await changeBook(vault, (book) => {
        const isStill = isAllSent && !pulled.more && book.finished === finished;
        return book.cursor === cursor ? applied(book, pulled.items, pulled.cursor, isStill) : book;
      });
    if (!pulled.more) return;
  }
}

/** Hold what the manifest names: forms and areas, the centre's key, its rules. `isFirstIn` is called once one form is here. */
export async function fetchChanges(vault: Vault, manifest: Manifest, isFirstIn = (): void => undefined): Promise<void> {
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
  if (JSON.stringify(account) !== before) await keepAccount(vault);
  await modernise(vault);
  const wanted = await missing(user, forms);
  const texts = new Map<string, string>();
  const fetchOne = async (form: (typeof forms)[number]): Promise<void> => {
    texts.set(form.sha256, await fetchForm(token, form.id, form.version));
  };
  const workhorse = mainForm(wanted);
  if (workhorse) {
    await fetchOne(workhorse);
    await keepForms(user, forms, texts);
  }
  isFirstIn();
  await Promise.all(wanted.filter((form) => form !== workhorse).map(fetchOne));
  await keepForms(user, forms, texts);
  const outlines = new Map<string, string>();
  for (const { key: name } of await missingAreas(user, areas)) outlines.set(name, await fetchAreas(token, name));
  await keepAreas(user, areas, outlines);
  const mark = manifest.map ?? "";
  if (mark !== (await heldMark(user)) && account.receipts)
    await keepMaps(
      vault,
      mark,
      mark ? await fetchMaps(token, account.receipts) : { maps: { week: null, month: null }, viewer: "" },
    );
}
