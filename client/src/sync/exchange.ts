/**
 * Exchange with the centre: deliver what is finished, fetch what changed. One exchange at a time on
 * a phone, in any tab.
 */

import { applyPulledChanges, type PulledItem } from "../storage/caseload_updates";
import { changeCaseload, READS, readCaseload } from "../storage/caseload";
import {
  findMainForm,
  findMissingAreas,
  findMissingForms,
  saveAreas,
  saveForms,
} from "../storage/forms";
import { getRow } from "../storage/database";
import type { LogState } from "../storage/keeping";
import { type Maps, readMapVersion, saveMaps } from "../storage/maps";
import { getFirstVersionSeal, readCountersAndOutbox } from "../storage/record_counts";
import { saveAccount, type Vault } from "../storage/vault";
import { deliver, learnState, type LetGo, markTried, type Order } from "./deliver";
import { fetchAreas, fetchForm, fetchManifest, fetchMaps, type Manifest, pullPage } from "./server";
import { Offline, Refused } from "./requests";
import { listOutbox } from "./sealed_items";

export { markTried };
export type Outcome = "online" | "offline" | "signed-out" | "busy";
export interface ExchangeResult {
  outcome: Outcome;
  orders: Order[];
}

/**
 * Deliver and, with an open vault, fetch; says how it went. What the centre has not confirmed stays
 * on the phone. While another tab or the service worker is at it, this is "busy", or waits for them
 * when it is patient.
 */
export async function exchange(vault: Vault | null, isPatient = false): Promise<ExchangeResult> {
  const run = async (): Promise<ExchangeResult> => {
    let orders: Order[] = [];
    const fetchAll = async (open: Vault): Promise<void> => {
      const { token, receipts } = open.account;
      const manifest = await fetchManifest(token, receipts);
      await believe(open, manifest.kept);
      await fetchManifestContent(open, manifest);
    };
    try {
      // A phone of an earlier version learns the centre's signing key first: it believes nobody
      // without it.
      const isNew = vault !== null && !vault.account.receipts;
      if (isNew) await fetchAll(vault);
      orders = await deliver(letGo);
      const isOut = vault && orders.some((order) => order.user === vault.account.user);
      if (vault && !isOut) {
        if (!isNew) await fetchAll(vault);
        await pullChanges(vault);
        const rare = await loadRare().catch(() => null);
        await rare?.forgetOldCopies(vault);
        await rare?.exchangeLabels(vault);
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

/** Raise Offline where a machine answers that is not the centre's any more. */
async function believe({ account: { user } }: Vault, state?: LogState): Promise<void> {
  const row = await getRow("vaults", user);
  if (row && !(await learnState([row], state, letGo))) throw new Offline();
}

const letGo: LetGo = async (...told) => (await loadRare().catch(() => null))?.letGo(...told);

const loadRare = (): Promise<typeof import("./rare_exchange")> => import("./rare_exchange");

/** Whether the first version of the app left something here that was not sent. */
async function hasFirstVersion({ account: { user } }: Vault): Promise<boolean> {
  const [counters, rows] = await readCountersAndOutbox(user);
  return (!counters && rows.length > 0) || rows.some(getFirstVersionSeal);
}

/** Bring the caseload up to what the centre knows. */
async function pullChanges(vault: Vault): Promise<void> {
  let hasMore = true;
  while (hasMore) hasMore = await pullNextPage(vault);
}

/** Pull one page of changes; says whether there are more. */
async function pullNextPage(vault: Vault): Promise<boolean> {
  const { token, receipts, user } = vault.account;
  const { cursor, finished, heard, reads } = await readCaseload(vault);
  const isAllSent = !(await listOutbox()).some((row) => row.user === user);
  // An app of before passed over some of what the centre told: all is heard once more.
  const isBehind = reads !== READS && cursor !== 0;
  const page = await pullPage(token, receipts, isBehind ? 0 : cursor);
  await believe(vault, page.kept);
  const ended = listEnded(page.items);
  const drafts = ended.length > 0 ? await (await loadRare()).eraseUnsent(vault, ended) : [];
  if (page.items.length > 0 || page.reset || isBehind || (isAllSent && heard !== finished))
    await changeCaseload(
      vault,
      (caseload) => {
        if (caseload.cursor !== cursor) return caseload; // another tab was faster
        const isStillAllSent = isAllSent && !page.more && caseload.finished === finished;
        // A centre that tells everything anew takes nothing back of what it told before, and may
        // have lost labels: they are all sent again.
        const before = page.reset ? { ...caseload, told: {}, keptLabels: {} } : caseload;
        const after = applyPulledChanges(before, page.items, page.cursor, isStillAllSent);
        return { ...after, erased: after.erased + drafts.length };
      },
      (tx, write) => {
        for (const id of drafts) tx.objectStore("drafts").delete(id);
        write();
      },
    );
  return page.more;
}

/** The codes of cards that ended, among what the centre tells. */
function listEnded(items: PulledItem[]): string[] {
  const ended = items.filter(([key, body]) => body && key.startsWith("ended/"));
  return ended.map(([key]) => key.slice("ended/".length));
}

/**
 * Fetch and store what the manifest names: forms and areas, the centre's key, its rules.
 * `isFirstIn` is called once one form is here.
 */
export async function fetchManifestContent(
  vault: Vault,
  manifest: Manifest,
  isFirstIn = (): void => undefined,
): Promise<void> {
  await saveManifest(vault, manifest);
  if (await hasFirstVersion(vault)) await (await loadRare()).migrateFirstVersion(vault);
  await fetchForms(vault, manifest, isFirstIn);
  await fetchOutlines(vault, manifest);
  await fetchMapsOfCentre(vault, manifest);
}

async function saveManifest(vault: Vault, manifest: Manifest): Promise<void> {
  const { account } = vault;
  const before = JSON.stringify(account);
  const { centre, worker, forms, areas = [], key = null, team = [], joined = [] } = manifest;
  const listed = [
    ...forms.map(({ id, sha256 }) => ({ kind: "form" as const, id, sha256 })),
    ...areas.map(({ key: id, sha256 }) => ({ kind: "areas" as const, id, sha256 })),
  ];
  const rules = manifest.rules ?? account.rules;
  // The signing key stays the first that came: nobody slips in another.
  const receipts = account.receipts ?? manifest.receipts ?? null;
  Object.assign(account, { centre, worker, listed, key, receipts, rules, team, joined });
  if (JSON.stringify(account) !== before) await saveAccount(vault);
}

async function fetchForms(
  { account: { token, user } }: Vault,
  { forms }: Manifest,
  isFirstIn: () => void,
): Promise<void> {
  const missing = await findMissingForms(user, forms);
  const texts = new Map<string, string>();
  const fetchText = async ({ id, version, sha256 }: (typeof forms)[number]): Promise<void> => {
    texts.set(sha256, await fetchForm(token, id, version));
  };
  const first = findMainForm(missing);
  if (first) {
    await fetchText(first);
    await saveForms(user, forms, texts);
  }
  isFirstIn();
  await Promise.all(missing.filter((form) => form !== first).map(fetchText));
  await saveForms(user, forms, texts);
}

async function fetchOutlines(
  { account: { token, user } }: Vault,
  { areas = [] }: Manifest,
): Promise<void> {
  const texts = new Map<string, string>();
  for (const { key } of await findMissingAreas(user, areas))
    texts.set(key, await fetchAreas(token, key));
  await saveAreas(user, areas, texts);
}

const NO_MAPS: Maps = { maps: { week: null, month: null }, viewer: "" };

async function fetchMapsOfCentre(vault: Vault, { map = "" }: Manifest): Promise<void> {
  const { token, receipts, user } = vault.account;
  if (!receipts || map === (await readMapVersion(user))) return;
  await saveMaps(vault, map, map ? await fetchMaps(token, receipts) : NO_MAPS);
}
