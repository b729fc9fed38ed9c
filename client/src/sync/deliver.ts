/**
 * Hand finished records to the centre. They are sealed and signed, so this needs nobody's PIN: it
 * runs while the app is locked, for every worker of the phone, and in the service worker with the
 * app closed.
 */

import { getNextPiece } from "../storage/attachments";
import { sha256 } from "../storage/bytes";
import { deleteUserData, getAllRows, runTransaction, updateRow } from "../storage/database";
import { listHeld } from "../storage/held";
import type { LogState } from "../storage/keeping";
import { closeOutboxRow, deleteOldLines } from "../storage/outbox";
import { isReceipt } from "../storage/receipts";
import type { OutboxRow, VaultRow } from "../storage/types";
import { disablePin } from "../storage/vault";
import { makePhoneReports } from "./phone_report";
import { Offline, Refused } from "./requests";
import { listOutbox, makeSealedItem } from "./sealed_items";
import { type RecordAnswer, sendPiece, sendSealed } from "./server";

const MAX_RECORDS = 20; // of one message
const MAX_BYTES = 3_000_000; // of one message, before base64

export type Order = { user: number; order: "lock" | "wipe" };

/**
 * The attachments of these records go first, piece by piece, from where the last attempt broke off.
 */
async function sendAttachments(rows: OutboxRow[]): Promise<void> {
  const ids = new Set(rows.map((row) => row.id));
  const blobs = await getAllRows("blobs");
  for (const blob of blobs.filter(({ record }) => ids.has(record))) {
    while (blob.sent < blob.data.length) {
      const received = await sendPiece(blob, getNextPiece(blob));
      if (received === blob.sent) throw new Offline(); // it does not take it: later
      blob.sent = received;
      await updateRow("blobs", blob.hash, (row) => ({ ...row, sent: received }));
    }
  }
}

/**
 * The first rows, at most `size`, as many as fit in one message; one that is too heavy for it
 * travels alone.
 */
export function fitMessage(rows: OutboxRow[], size: number): OutboxRow[] {
  const message: OutboxRow[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, size)) {
    bytes += row.box!.box.length;
    if (message.length > 0 && bytes > MAX_BYTES) break;
    message.push(row);
  }
  return message;
}

/**
 * Send all that waits and obey the centre's orders; says which it obeyed. What it has no receipt
 * for stays. Raise Offline when nobody provably ours answers. Without `letGo`, as in the service
 * worker, what was sent before stays as it is.
 */
export async function deliver(letGo?: LetGo): Promise<Order[]> {
  const stuck = new Set<string>(); // records that stay on the phone, and never hold up the others
  let orders: Record<string, string> = {};
  let size = MAX_RECORDS;
  let isFirst = true; // it goes even without records: the centre may have orders
  const fillMessage = async (): Promise<OutboxRow[]> => {
    const holds = await listHeld();
    const waiting = (await listOutbox()).filter(({ id }) => !stuck.has(id) && !holds.has(id));
    // Nothing that can still be taken back leaves before somebody has answered.
    const leaving = isFirst ? waiting.filter(({ tried }) => tried) : waiting;
    return markTried(fitMessage(leaving, size));
  };
  for (let rows = await fillMessage(); isFirst || rows.length > 0; rows = await fillMessage()) {
    const vaults = (await getAllRows("vaults")).filter((vault) => vault.device);
    if (rows.length === 0 && vaults.length === 0) return [];
    const answer = await sendMessage(rows, vaults);
    if (answer) {
      const [{ items, kept, orders: answered }, key] = answer;
      const own = vaults.filter(({ receipts }) => receipts?.public === key.public);
      const isBelieved = await learnState(own, kept, letGo);
      if (isBelieved) orders = answered;
      await closeReceived(rows, isBelieved ? items : [], stuck, vaults);
    } else {
      // The centre cannot read the message: find out which record it is, one by one.
      if (rows.length <= 1) stuck.add(rows[0]!.id);
      size = 1;
    }
    isFirst = false;
  }
  await deleteOldLines(getDayNumber());
  return applyOrders(orders);
}

/**
 * Note that the centre may have these from now on: they cannot be taken back any more. Return them
 * as they are now, without those that were taken back just before.
 */
export async function markTried(rows: OutboxRow[]): Promise<OutboxRow[]> {
  if (rows.every(({ tried }) => tried)) return rows;
  const marked: OutboxRow[] = [];
  try {
    await runTransaction(["outbox"], "readwrite", (tx) => {
      const outbox = tx.objectStore("outbox");
      for (const { id } of rows) {
        const request = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
        request.onsuccess = () => {
          const row = request.result;
          if (row?.state !== "waiting") return;
          marked.push({ ...row, tried: true });
          outbox.put({ ...row, tried: true });
        };
      }
      return null;
    });
  } catch {
    return rows; // a full phone must still be able to send
  }
  return marked;
}

/**
 * Send one message; null when the centre cannot read it. Raise Offline where it cannot be a
 * record's fault.
 */
async function sendMessage(
  rows: OutboxRow[],
  vaults: VaultRow[],
): Promise<Awaited<ReturnType<typeof sendSealed>> | null> {
  const phones = await makePhoneReports(vaults);
  const keys = vaults.map((vault) => vault.receipts);
  try {
    await sendAttachments(rows);
    return await sendSealed(rows.map(makeSealedItem), phones, keys);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (rows.length === 0) throw new Offline();
    return null;
  }
}

/** What deletes the copies that the centre holds elsewhere, and sends again what it lost. */
export type LetGo = (state: LogState, users: number[], today: number) => Promise<void>;

/**
 * Learn how safe the centre's log is, for these workers of it, and act on it where `letGo` is here.
 * False where nothing that it said may be believed: it is a machine from before the centre went
 * back to a copy.
 */
export async function learnState(
  vaults: VaultRow[],
  state: LogState | undefined,
  letGo?: LetGo,
): Promise<boolean> {
  const newest = Math.max(0, ...vaults.map(({ epoch = 0 }) => epoch));
  if ((state?.epoch ?? 0) < newest) return false;
  if (!state) return true;
  const { epoch } = state;
  if (epoch > newest)
    for (const { user } of vaults) await updateRow("vaults", user, (row) => ({ ...row, epoch }));
  const users = vaults.map(({ user }) => user);
  await letGo?.(state, users, getDayNumber());
  return true;
}

/** Days since 1970. */
const getDayNumber = (): number => Math.floor(Date.now() / 86_400_000);

/**
 * What the centre holds leaves the queue: only its receipt, signed for this id and the hash of
 * these bytes, proves it.
 */
async function closeReceived(
  rows: OutboxRow[],
  answers: RecordAnswer[],
  stuck: Set<string>,
  vaults: VaultRow[],
): Promise<void> {
  for (const row of rows) {
    const answer = answers.find(({ id }) => id === row.id);
    const vault = vaults.find(({ user }) => user === row.user);
    const hash = await sha256(row.box!.box);
    if (!answer || !(await isReceipt(vault?.receipts, row.id, hash, answer.receipt))) {
      stuck.add(row.id);
      await sendAttachmentsAgain(row); // it may be one of these that is missing
      continue;
    }
    const outcome = answer.status === "duplicate" ? answer.was : answer.status;
    const isAccepted = outcome === "stored" || outcome === "settled";
    const shredOn = getDayNumber() + (vault?.shredDays ?? 7);
    const has = (sought: string) => answer.problems?.some(({ code }) => code === sought);
    const marks = { isEnded: has("consent.ended"), isUnlinked: has("card.unlinked") };
    const { epoch, position } = answer.receipt!;
    const place = epoch === undefined ? null : { epoch, position };
    await closeOutboxRow(row.id, isAccepted ? "delivered" : "kept", shredOn, marks, place);
  }
}

/** Let the attachments of a record travel from their first byte at the next attempt. */
async function sendAttachmentsAgain({ id, user }: OutboxRow): Promise<void> {
  for (const blob of await getAllRows("blobs", user))
    if (blob.record === id) await updateRow("blobs", blob.hash, (row) => ({ ...row, sent: 0 }));
}

/** Lock or wipe where the centre says so, once all that the worker finished is there. */
async function applyOrders(orders: Record<string, string>): Promise<Order[]> {
  const applied: Order[] = [];
  const waiting = new Set((await listOutbox()).map((row) => row.user));
  for (const { user, device, byPin } of await getAllRows("vaults")) {
    const order = orders[device];
    if (order === "lock") {
      if (byPin) await disablePin(user);
      applied.push({ user, order });
    } else if (order === "wipe" && !waiting.has(user)) {
      await deleteUserData(user);
      applied.push({ user, order });
    }
  }
  return applied;
}
