/** What a worker can still do about a record that they finished. */

import { setAnswer } from "../engine/roles";
import { restoreAttachments } from "./captured";
import { changeCaseload, type EditableRecord, listHeads, readCaseload } from "./caseload";
import { getAllRows, getRow, updateRow } from "./database";
import { type Draft, listDrafts } from "./drafts";
import { actWhileHeld, readUncut } from "./hold";
import { closeOutboxRow, findClock } from "./outbox";
import { getCounters, raiseHighWater } from "./record_counts";
import type { OutboxRow, Sealed } from "./types";
import { type CaseloadChange, type Undo, undoChange, withoutEarlier } from "./undo";
import { seal, unseal, type Vault } from "./vault";

/**
 * Make a finished record a draft again: the same record, under its number. Return the draft; null
 * where it is too late, since the centre may have it, somebody holds the slip of this record, or a
 * newer version builds on it. Who asks again meanwhile, from wherever they went, gets the same.
 */
export const takeBack = (vault: Vault, id: string): Promise<Draft | null> =>
  actWhileHeld(id, () => makeDraftAgain(vault, id));

async function makeDraftAgain(vault: Vault, id: string): Promise<Draft | null> {
  const { user } = vault.account;
  const row = await getRow("outbox", id);
  if (row?.user !== user || !isOpenable(row) || !row.undo) return null;
  const undo = await unseal<Undo>(vault.key, row.undo);
  const copy = await readCopy(vault, id);
  if (undo.hasSlip || !copy) return null;
  if (await isBuiltOn(vault, row)) return null;
  const { finishedAt } = (await readLine(vault, row.about)) ?? {};
  const clock = findClock(finishedAt ?? "", copy.clock);
  const draft = { ...(await makeDraft(vault, copy, undo)), ...(clock && { clock }) };
  const sealed = await seal(vault.key, draft);
  const blobs = await listBlobs(user, id);
  let isTaken = false;
  const undoIt = (caseload: Parameters<typeof undoChange>[0]): typeof caseload =>
    undoChange(caseload, undo);
  await changeCaseload(vault, undoIt, (tx, write) => {
    const outbox = tx.objectStore("outbox");
    const current = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
    current.onsuccess = () => {
      if (!isOpenable(current.result)) return;
      try {
        const { seq, about } = row;
        outbox.put({ id, user, seq, state: "open", box: null, about, shredOn: 0 });
        tx.objectStore("drafts").put({ id, user, sealed });
        for (const { hash } of blobs) tx.objectStore("blobs").delete(hash);
        write();
        isTaken = true;
      } catch {
        tx.abort(); // all of it or nothing
      }
    };
  });
  if (isTaken) await forgetEarlier(vault, row, undo);
  return isTaken ? draft : null;
}

/** Let what later ones would bring back be without what a record did that is finished no more. */
async function forgetEarlier(vault: Vault, { user, seq }: OutboxRow, change: CaseloadChange) {
  for (const { id, undo, ...other } of await getAllRows("outbox", user)) {
    if (other.seq < seq || !undo) continue;
    const later = await unseal<Undo>(vault.key, undo).catch(() => null);
    if (!later) continue;
    const sealed = await seal(vault.key, withoutEarlier(later, change));
    await updateRow("outbox", id, (row) => (row.undo ? { ...row, undo: sealed } : row));
  }
}

/** Whether a newer version of a record was finished or begun here, which names this one. */
async function isBuiltOn(vault: Vault, row: OutboxRow): Promise<boolean> {
  const { id, user, seq } = row;
  const readRoot = async (sealed: Sealed | null): Promise<string | undefined> => {
    return (await readLine(vault, sealed))?.root;
  };
  const root = (await readRoot(row.about)) ?? id;
  for (const other of await getAllRows("outbox", user))
    if (other.seq > seq && other.state !== "deleted" && (await readRoot(other.about)) === root)
      return true;
  return (await listDrafts(vault)).some(({ prev }) => prev?.includes(id));
}

type Line = { root?: string; finishedAt?: string };

const readLine = async (vault: Vault, about: Sealed | null): Promise<Line | null> =>
  about && unseal<Line>(vault.key, about).catch(() => null);

/** Whether nobody but this phone can have a record. */
const isOpenable = (row: OutboxRow | undefined): boolean => row?.state === "waiting" && !row.tried;

const listBlobs = async (user: number, id: string): ReturnType<typeof getAllRows<"blobs">> =>
  (await getAllRows("blobs", user)).filter(({ record }) => record === id);

/** The draft that a record was, with what finishing it took out of the answers. */
async function makeDraft(vault: Vault, draft: Draft, undo: Undo): Promise<Draft> {
  const blobs = await listBlobs(vault.account.user, draft.id);
  const uncut = readUncut(draft.id);
  const answers = uncut ?? (await restoreAttachments(vault, draft.answers, blobs));
  // Of others the phone may have heard something since.
  const heads = { ...listHeads(undoChange(await readCaseload(vault), undo)), ...draft.heads };
  const [path, code] = undo.refused ?? ["", ""];
  return { ...draft, heads, answers: setAnswer(answers, path, code), changedAt: Date.now() };
}

/** A finished record that its worker can open here; null where there is no copy of it. */
export async function readCopy(vault: Vault, id: string): Promise<Draft | null> {
  const row = await getRow("outbox", id);
  if (row?.user !== vault.account.user) return null;
  if (row.copy) return unseal<Draft>(vault.key, row.copy).catch(() => null);
  const undo = row.undo && (await unseal<Undo>(vault.key, row.undo).catch(() => null));
  return (undo && undo.copy) ?? null;
}

/**
 * The newest version of a record that was finished on this phone, to be corrected; null where this
 * phone has no copy of it.
 */
export async function readOwnVersion(vault: Vault, root: string): Promise<EditableRecord | null> {
  const rows = await getAllRows("outbox", vault.account.user);
  const newestFirst = rows
    .filter(({ state }) => state !== "open" && state !== "deleted")
    .sort((a, b) => b.seq - a.seq);
  for (const { id, about } of newestFirst) {
    const line = await readLine(vault, about);
    if ((line?.root ?? id) !== root) continue;
    const copy = await readCopy(vault, id);
    // A newer version of which there is no copy must not be passed over.
    if (!copy) return null;
    const { form, version, answers } = copy;
    const clock = findClock(line?.finishedAt ?? "", copy.clock);
    return { form, version, answers, heads: [id], ...(clock && { clock }) };
  }
  return null;
}

/**
 * Delete a record that was not sent yet, and what it did; the counters go on counting it. It stays
 * where somebody holds its slip, or a newer version builds on it.
 */
export async function deleteWaiting(vault: Vault, id: string): Promise<void> {
  const row = await getRow("outbox", id);
  const undo = row?.undo && (await unseal<Undo>(vault.key, row.undo).catch(() => null));
  if (!row || row.isAgain || undo?.hasSlip || (await isBuiltOn(vault, row))) return;
  if (!(await closeOutboxRow(id, "deleted", 1))) return;
  raiseHighWater(await getCounters(vault.account.user));
  if (!undo) return;
  await changeCaseload(vault, (caseload) => undoChange(caseload, undo));
  await forgetEarlier(vault, row, undo);
}
