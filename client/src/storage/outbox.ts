/**
 * Finished records: sealed to the centre, numbered, and kept on the phone until the centre has
 * them.
 */

import { type Caseload, changeCaseload } from "./caseload";
import { getAllRows, getRow, runTransaction } from "./database";
import { getCounters, NO_RECORDS, raiseHighWater, readHighWater } from "./record_counts";
import { sealToCentre } from "./sealing";
import type { BlobRow, CountersRow, LogPlace, OutboxRow, Sealed, SealedBox } from "./types";
import { seal, unseal, type Vault } from "./vault";

/** A record in the outbox as its worker sees it: which form, when, how long it took them. */
export interface OutboxLine {
  id: string;
  seq: number;
  state: Exclude<OutboxRow["state"], "open">;
  form: string;
  finishedAt: string;
  minutes: string;
  kind?: string; // what tells it apart from others: choices of its form
  area?: string;
  stood?: number; // how much its person allowed when it was made
  code?: string; // the card that it is about
  hasCopy?: boolean; // its worker can open it again here
  root?: string; // the record that it corrected
  hasSlip?: boolean; // its person has a slip that works with this very record
  isReplaced?: boolean; // a newer version of it was finished on this phone
  isEnded?: boolean; // its person took everything back
  isUnlinked?: boolean; // the centre does not know its card any more
  isBoxed?: boolean; // a copy that only the centre can open is still here
  isSafe?: boolean; // the centre holds it in two places
  isAgain?: boolean; // the centre had it, and lost it
}

/** What the form of a note begins with: what a worker says that is no form. */
export const NOTE = "fieldapp.";

/** What became of the card that a record is about, as the centre says. */
type CardMarks = Pick<OutboxRow, "isEnded" | "isUnlinked">;

/** The centre's key has not come yet: nothing can be finished before the first contact. */
export class NoCentreKey extends Error {}

/** Local time with its offset from UTC: 2026-11-23T01:02:03.000-05:00. */
export function formatLocalTime(date: Date): string {
  const offset = -date.getTimezoneOffset(); // minutes, east of Greenwich positive
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 23);
  const two = (number: number): string => String(Math.trunc(number)).padStart(2, "0");
  const distance = Math.abs(offset);
  return `${local}${offset < 0 ? "-" : "+"}${two(distance / 60)}:${two(distance % 60)}`;
}

/**
 * The time by which a form judges what is finished at a moment: on a later day than the version
 * that it corrects, the clock of that version, so that what was true then stays so.
 */
export function findClock(finishedAt: string, clock = finishedAt): string {
  return clock.slice(0, 10) < finishedAt.slice(0, 10) ? clock : finishedAt;
}

interface FinishedItem {
  id: string;
  content: { form: string; version: string; finished_at: string; body: string; root?: string };
  about: Pick<OutboxLine, "minutes" | "kind" | "area" | "stood" | "hasSlip">; // for its line in the list
  person: string; // the card code of whom it is about; "" for nobody
  change: (caseload: Caseload) => Caseload;
  blobs: BlobRow[];
  sealed: Pick<OutboxRow, "copy" | "undo">;
}

/** Seal a finished item to the centre, and put it where it waits to be sent. */
export async function enqueue(vault: Vault, item: FinishedItem): Promise<void> {
  const { user, device, key } = vault.account;
  if (!key || !vault.signer) throw new NoCentreKey();
  const { form, finished_at: finishedAt, root } = item.content;
  const about = await seal(vault.key, {
    form,
    finishedAt,
    ...item.about,
    ...(root ? { root } : {}),
  });
  const of = item.person ? await seal(vault.key, item.person) : null;
  // The number is inside the seal, so it is given first; should another tab take it meanwhile, it
  // is given again.
  let isNumberTaken = true;
  while (isNumberTaken) {
    const before = await getRow("outbox", item.id);
    const next = Math.max((await getCounters(user)).made, readHighWater(user).made) + 1;
    // What was taken back keeps its number: it is the same record.
    const seq = before?.state === "open" ? before.seq : next;
    const box = await sealToCentre(item.id, device, key, vault.signer, { ...item.content, seq });
    isNumberTaken = !(await putInOutbox(vault, item, { seq, box, about, ...(of && { of }) }));
  }
  raiseHighWater(await getCounters(user));
}

/** Write a numbered item; false when its number was given to another record meanwhile. */
async function putInOutbox(
  vault: Vault,
  { id, change, blobs, sealed }: FinishedItem,
  numbered: { seq: number; box: SealedBox; about: Sealed; of?: Sealed },
): Promise<boolean> {
  const { user } = vault.account;
  const { seq } = numbered;
  const changeAndCount = (caseload: Caseload): Caseload => ({
    ...change(caseload),
    finished: caseload.finished + 1,
  });
  let isNumberTaken = false;
  await changeCaseload(vault, changeAndCount, (tx, write) => {
    const counters = tx.objectStore("counters").get(user) as IDBRequest<CountersRow | undefined>;
    const before = tx.objectStore("outbox").get(id) as IDBRequest<OutboxRow | undefined>;
    before.onsuccess = () => {
      const isBack = before.result?.state === "open";
      if (before.result && !isBack) return void tx.objectStore("drafts").delete(id); // a second tap
      const made = counters.result?.made ?? 0;
      isNumberTaken = isBack ? before.result!.seq !== seq : made >= seq;
      if (isNumberTaken) return;
      try {
        tx.objectStore("drafts").delete(id);
        const row = { id, user, state: "waiting", shredOn: 0, ...numbered, ...sealed };
        tx.objectStore("outbox").put(row);
        for (const blob of blobs) tx.objectStore("blobs").put(blob);
        tx.objectStore("counters").put({
          ...(counters.result ?? { user, ...NO_RECORDS }),
          made: Math.max(made, seq),
        });
        write();
      } catch {
        tx.abort(); // all of it or nothing
      }
    };
  });
  return !isNumberTaken;
}

/**
 * Take a row out of the queue in one transaction with its worker's counters. Its sealed content
 * stays where `at` says which place the centre gave it, else it goes at once; its copy goes where
 * nobody needs it any more. Return whether it still waited.
 */
export async function closeOutboxRow(
  id: string,
  state: "delivered" | "kept" | "deleted",
  shredOn: number,
  marks: CardMarks = {},
  at: LogPlace | null = null,
): Promise<boolean> {
  const blobs = (await getAllRows("blobs")).filter((blob) => blob.record === id);
  let isClosed = false;
  await runTransaction(["outbox", "counters", "blobs"], "readwrite", (tx) => {
    const outbox = tx.objectStore("outbox");
    const counters = tx.objectStore("counters");
    const request = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
    request.onsuccess = () => {
      const row = request.result;
      if (row?.state !== "waiting" && row?.state !== "open") return;
      isClosed = true;
      const { of, copy, undo: _, tried: __, isAgain: ___, ...rest } = row;
      const isKept = state !== "deleted" && !marks.isEnded && !marks.isUnlinked;
      const own = isKept && copy ? { copy, ...(of && { of }) } : {};
      const stays = at && !marks.isEnded ? { at, box: row.box } : { box: null };
      outbox.put({ ...rest, ...own, state, ...stays, shredOn, ...marks });
      for (const { own: _, ...blob } of blobs) {
        if (stays.box) tx.objectStore("blobs").put(blob);
        else tx.objectStore("blobs").delete(blob.hash);
      }
      const counted = counters.get(row.user) as IDBRequest<CountersRow | undefined>;
      counted.onsuccess = () => {
        const before = counted.result ?? { user: row.user, ...NO_RECORDS, made: row.seq };
        counters.put({ ...before, [state]: before[state] + 1 });
      };
    };
    return null;
  });
  return isClosed;
}

/**
 * Delete the lines whose day has come; `today` in days since 1970. A box that the centre may still
 * need stays, without anything that this phone can read.
 */
export async function deleteOldLines(today: number): Promise<void> {
  const rows = await getAllRows("outbox");
  const old = rows.filter((row) => row.shredOn > 0 && row.shredOn <= today);
  if (old.length === 0) return;
  await runTransaction(["outbox"], "readwrite", (tx) => {
    for (const { of: _, copy: __, ...row } of old) {
      if (row.box) tx.objectStore("outbox").put({ ...row, about: null });
      else tx.objectStore("outbox").delete(row.id);
    }
    return null;
  });
}

/** The lines of a worker, the newest first; what cannot be unsealed shows no form and no time. */
export async function listLines(vault: Vault): Promise<OutboxLine[]> {
  const rows = await getAllRows("outbox", vault.account.user);
  const finished = rows.filter(({ state, at, about }) => state !== "open" && (!at || about));
  const lines = await Promise.all(finished.map((row) => readLine(vault, row)));
  const newer = new Set<string>(); // records of which a newer version has come by
  return lines
    .sort((a, b) => b.seq - a.seq)
    .map((line) => {
      const root = line.root ?? line.id;
      const isReplaced = newer.has(root);
      if (line.state !== "deleted") newer.add(root);
      return isReplaced ? { ...line, isReplaced } : line;
    });
}

async function readLine(vault: Vault, row: OutboxRow): Promise<OutboxLine> {
  type About = Omit<OutboxLine, "id" | "seq" | "state" | keyof CardMarks | "isReplaced">;
  const { id, seq, about, of, isEnded, isUnlinked, isSafe, isAgain } = row;
  const state = row.state as OutboxLine["state"];
  const details = about && (await unseal<About>(vault.key, about).catch(() => null));
  const code = of && (await unseal<string>(vault.key, of).catch(() => ""));
  return {
    id,
    seq,
    state,
    form: "",
    finishedAt: "",
    minutes: "",
    ...details,
    ...(code && { code }),
    // A note has no answers to look at, only what can be undone.
    ...((row.copy ?? (row.undo && !details?.form.startsWith(NOTE))) && { hasCopy: true }),
    ...(isEnded && { isEnded }),
    ...(isUnlinked && { isUnlinked }),
    ...(row.at && { isBoxed: true }),
    ...(isSafe && { isSafe }),
    ...(isAgain && { isAgain }),
  };
}
