/**
 * When this phone may delete what it sent: once the centre holds it beyond one disk. The twin of
 * sync/keeping.py; both decide the same (tests/sync/keeping.json).
 */

import { getAllRows, runTransaction, updateRow } from "./database";
import { NO_RECORDS } from "./record_counts";
import type { BlobRow, CountersRow, HeardHead, LogPlace, OutboxRow, VaultRow } from "./types";

/** What the centre says of its log. */
export interface LogState {
  epoch: number;
  /** The epochs, each with the last position that was there when it began. */
  lineage: [epoch: number, last: number][];
  safe: number | null; // the last position held elsewhere; null where nothing is copied there
  audit?: string; // the link at the end of its audit log
}

type Fate = "keep" | "gone" | "again";
type Change = Fate | "over"; // its days are over, and nothing is copied elsewhere

/** What becomes of the copy of a record that has a receipt. */
export function decideCopy({ epoch, position }: LogPlace, { lineage, safe }: LogState): Fate {
  const isOurs = lineage.some(([number]) => number === epoch);
  const isThere = lineage.every(([number, last]) => number <= epoch || position <= last);
  if (!isOurs || !isThere) return "again";
  return safe !== null && position <= safe ? "gone" : "keep";
}

/**
 * Delete the copies that the centre holds elsewhere, and let wait again what it lost. Where it
 * copies nothing elsewhere, a copy goes with its line: `today` in days since 1970.
 */
export async function letGo(state: LogState, users: number[], today: number): Promise<void> {
  for (const user of users) await updateRow("vaults", user, (row) => addHead(row, state, today));
  const fates = new Map<string, Change>();
  for (const { id, user, box, at, shredOn } of await getAllRows("outbox")) {
    if (!box || !at || !users.includes(user)) continue;
    const fate = decideCopy(at, state);
    const isOver = fate === "keep" && state.safe === null && shredOn <= today;
    if (fate !== "keep" || isOver) fates.set(id, isOver ? "over" : fate);
  }
  if (fates.size === 0) return;
  const blobs = (await getAllRows("blobs")).filter(({ record }) => fates.has(record));
  await runTransaction(["outbox", "counters", "blobs"], "readwrite", (tx) => {
    const request = tx.objectStore("counters").getAll() as IDBRequest<CountersRow[]>;
    request.onsuccess = () => {
      const counters = new Map(request.result.map((row) => [row.user, row]));
      for (const [id, fate] of fates) {
        const own = blobs.filter(({ record }) => record === id);
        if (fate === "again") sendAgain(tx, id, own, counters);
        else deleteBox(tx, id, own, fate === "gone" ? { isSafe: true } : {});
      }
    };
    return null;
  });
}

/** One a day, of ten days: who rewrites the log would have to find a day that no phone heard of. */
function addHead(row: VaultRow, { audit, epoch }: LogState, today: number): VaultRow | null {
  const heads = row.heads ?? [];
  if (!audit || heads[0]?.[0] === today) return null;
  const head: HeardHead = [today, `${epoch}:${audit}`];
  return { ...row, heads: [head, ...heads].slice(0, 10) };
}

function deleteBox(
  tx: IDBTransaction,
  id: string,
  blobs: BlobRow[],
  mark: Pick<OutboxRow, "isSafe">,
): void {
  changeRow(tx, id, ({ at: _, ...row }) => {
    for (const { hash } of blobs) tx.objectStore("blobs").delete(hash);
    return { ...row, ...mark, box: null };
  });
}

/** No counter falls: the high water would undo it. So it is counted how many came back. */
function sendAgain(
  tx: IDBTransaction,
  id: string,
  blobs: BlobRow[],
  counters: Map<number, CountersRow>,
): void {
  changeRow(tx, id, ({ at: _, ...row }) => {
    const before = counters.get(row.user) ?? { user: row.user, ...NO_RECORDS };
    const name = row.state === "kept" ? "keptAgain" : "deliveredAgain";
    const after = { ...before, [name]: (before[name] ?? 0) + 1 };
    counters.set(row.user, after);
    tx.objectStore("counters").put(after);
    for (const blob of blobs) tx.objectStore("blobs").put({ ...blob, sent: 0 });
    return { ...row, state: "waiting", shredOn: 0, tried: true, isAgain: true };
  });
}

function changeRow(tx: IDBTransaction, id: string, change: (row: OutboxRow) => OutboxRow): void {
  const outbox = tx.objectStore("outbox");
  const request = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
  request.onsuccess = () => {
    const row = request.result;
    if (row?.at && row.box) outbox.put(change(row)); // else another tab was faster
  };
}
