/**
 * Hand finished records to the centre. They are sealed and signed, so this needs nobody's PIN: it runs while the app is
 * locked, for every worker of the phone, and in the service worker with the app closed.
 */

import { sha256, toBase64 } from "../storage/bytes";
import { pieceOf } from "../storage/attachments";
import { all, forget, update } from "../storage/database";
import type { OutboxRow, VaultRow } from "../storage/types";
import { healthOf } from "../storage/health";
import { countersOf, leaveOutbox, shredOld } from "../storage/records";
import { isReceipt } from "../storage/receipts";
import { shut } from "../storage/vault";
import {
  type Answered,
  clockAhead,
  Offline,
  Refused,
  type Report,
  type SealedItem,
  sendPiece,
  sendSealed,
} from "./server";

declare const BUILT: string; // filled in by the build: the day of it, and what it was made from
const BATCH = 20;
const MAX_WEIGHT = 3_000_000; // bytes of one message

export type Order = { user: number; order: "lock" | "wipe" };

async function reportOf(vault: VaultRow, rows: OutboxRow[], shared: Partial<Report>): Promise<Report> {
  const counters = await countersOf(vault.user);
  const base = vault.base ?? { made: 0, deleted: 0 };
  return {
    device: vault.device,
    made: counters.made - base.made,
    unsent: rows.filter((row) => row.state === "waiting" && row.box?.device === vault.device).length,
    deleted: counters.deleted - base.deleted,
    ...shared,
  };
}

/** A record as it travels. */
export function itemOf({ id, box }: OutboxRow): SealedItem {
  const { device, kid, box: data, signature } = box!;
  return { id, device, kid, box: toBase64(data), signature: toBase64(signature) };
}

/** The attachments of these records go first, piece by piece, from where the last attempt broke off. */
async function sendAttachments(rows: OutboxRow[]): Promise<void> {
  const ids = new Set(rows.map((row) => row.id));
  for (const blob of (await all("blobs")).filter((one) => ids.has(one.record))) {
    while (blob.sent < blob.data.length) {
      const received = await sendPiece(blob, pieceOf(blob));
      if (received === blob.sent) throw new Offline(); // it does not take it: later
      blob.sent = received;
      await update("blobs", blob.hash, (row) => ({ ...row, sent: received }));
    }
  }
}

/** As many as may travel in one message: pictures are heavy. */
function light(rows: OutboxRow[]): OutboxRow[] {
  let weight = 0;
  return rows.filter((row, index) => (weight += row.box!.box.length) <= MAX_WEIGHT || index === 0);
}

export async function queue(): Promise<OutboxRow[]> {
  return (await all("outbox")).filter((row) => row.state === "waiting" && row.box).sort((a, b) => a.seq - b.seq);
}

/**
 * Send all that waits and obey the centre's orders; says which it obeyed. What it has no receipt for stays.
 * Raise Offline when nobody provably ours answers.
 */
export async function deliver(): Promise<Order[]> {
  const stuck = new Set<string>(); // stay on the phone, and never hold up the others
  let orders: Record<string, string> = {};
  let size = BATCH;
  for (let isFirst = true; ; isFirst = false) {
    const waiting = (await queue()).filter((row) => !stuck.has(row.id));
    const rows = light(waiting.slice(0, size));
    if (rows.length === 0 && !isFirst) break;
    const vaults = (await all("vaults")).filter((vault) => vault.device);
    if (rows.length === 0 && vaults.length === 0) return [];
    const everything = await all("outbox");
    const { isKept, freeMb } = await healthOf();
    const shared = {
      persisted: isKept,
      app: BUILT,
      clock: clockAhead,
      ...(freeMb === null ? {} : { free_mb: freeMb }),
    };
    const phones = await Promise.all(vaults.map((vault) => reportOf(vault, everything, shared)));
    let answer;
    try {
      await sendAttachments(rows);
      const keys = vaults.map((vault) => vault.receipts);
      answer = await sendSealed(rows.map(itemOf), phones, keys);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The centre cannot read the message: find out which record it is, one by one.
      if (rows.length <= 1) {
        if (!rows[0]) throw new Offline();
        stuck.add(rows[0].id);
      }
      size = 1;
      continue;
    }
    orders = answer.orders;
    await settle(rows, answer.items, stuck, vaults);
  }
  await shredOld(dayNumber());
  return obey(orders);
}

const dayNumber = (): number => Math.floor(Date.now() / 86_400_000);

/** What the centre holds leaves the queue: only its receipt, signed for this id and the hash of these bytes, proves it. */
async function settle(rows: OutboxRow[], answers: Answered[], stuck: Set<string>, vaults: VaultRow[]): Promise<void> {
  for (const row of rows) {
    const answer = answers.find((one) => one.id === row.id);
    const vault = vaults.find((one) => one.user === row.user);
    const hash = await sha256(row.box!.box);
    const isHeld = answer && (await isReceipt(vault?.receipts, row.id, hash, answer.receipt));
    if (!isHeld) {
      stuck.add(row.id);
      for (const blob of await all("blobs", row.user))
        // it may be one of these that is missing: from the start
        if (blob.record === row.id) await update("blobs", blob.hash, (held) => ({ ...held, sent: 0 }));
      continue;
    }
    const became = answer.status === "duplicate" ? answer.was : answer.status;
    const isFine = became === "stored" || became === "settled";
    const days = vault?.shredDays ?? 7;
    await leaveOutbox(row.id, isFine ? "delivered" : "kept", dayNumber() + days);
  }
}

/** Lock or wipe where the centre says so, once all that the worker finished is there. */
async function obey(orders: Record<string, string>): Promise<Order[]> {
  const obeyed: Order[] = [];
  const waiting = new Set((await queue()).map((row) => row.user));
  for (const { user, device, byPin } of await all("vaults")) {
    const order = orders[device];
    if (order === "lock") {
      if (byPin) await shut(user);
      obeyed.push({ user, order });
    } else if (order === "wipe" && !waiting.has(user)) {
      await forget(user);
      obeyed.push({ user, order });
    }
  }
  return obeyed;
}
