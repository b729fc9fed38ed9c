/**
 * Finished records: sealed to the centre, numbered, and kept on the phone until the centre has
 * them.
 */

import { parseCardCode } from "../engine/cards";
import type { FormDefinition } from "../engine/definition";
import { goesOnAsBefore, MINUTES, readRole, TIER } from "../engine/roles";
import type { Json } from "../engine/types";
import { detachAttachments } from "./attachments";
import { type Caseload, changeCaseload, readCaseload } from "./caseload";
import { addFinishedRecord, addStatement } from "./caseload_updates";
import { getAllRows, runTransaction } from "./database";
import type { Draft } from "./drafts";
import { getCounters, NO_RECORDS, raiseHighWater, readHighWater } from "./record_counts";
import { sealToCentre } from "./sealing";
import type { BlobRow, CountersRow, OutboxRow, Sealed, SealedBox } from "./types";
import { seal, unseal, type Vault } from "./vault";

/** A record in the outbox as its worker sees it: which form, when, how long it took them. */
export interface OutboxLine {
  id: string;
  seq: number;
  state: OutboxRow["state"];
  form: string;
  finishedAt: string;
  minutes: string;
  root?: string; // the record that it corrected
  isEnded?: boolean | undefined; // its person took everything back
  isUnlinked?: boolean | undefined; // the centre does not know its card any more
}

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

/** What travels beside the answers, and is in none of them. */
interface Beside {
  refusedBy?: string; // card code of a person who said no
  slip?: string; // with which the person sees their consent
}

/** How people were asked, if they were, and what was known then of what they had said before. */
function describeConsent(
  { consent_wording: wording = "" }: FormDefinition,
  knew: string[] | undefined,
  asked: boolean,
): { consent?: object } {
  return knew || wording ? { consent: { knew: knew ?? [], wording, asked } } : {};
}

/**
 * Move a draft to the outbox in one transaction: it is never in both, never in neither, and counted
 * with it.
 */
export async function finishDraft(
  vault: Vault,
  draft: Draft,
  definition: FormDefinition,
  now: Date,
  { refusedBy = "", slip = "" }: Beside = {},
): Promise<void> {
  const { root, prev, due } = draft;
  const [answers, blobs] = await detachAttachments(vault, draft.id, draft.answers);
  const caseload = await readCaseload(vault);
  const code = parseCardCode(readRole(definition, draft.answers, "person"));
  const newCodes = [...(draft.minted ?? []), ...caseload.made];
  const cards = newCodes.includes(code) ? [code] : [];
  // What was heard while this was being filled in, nobody knew when the person was asked.
  const person = code || parseCardCode(refusedBy);
  const knew = draft.heads?.[person];
  const isAsked = !goesOnAsBefore(definition, draft.answers);
  const isStatement = isAsked && person !== "" && readRole(definition, draft.answers, TIER) !== "";
  const content = {
    form: draft.form,
    version: draft.version,
    finished_at: formatLocalTime(now),
    body: JSON.stringify(answers),
    ...(root ? { root, prev } : {}),
    ...(due ? { due } : {}),
    ...(cards.length ? { cards } : {}),
    ...(refusedBy ? { refused_by: parseCardCode(refusedBy) } : {}),
    ...(slip ? { slip } : {}),
    ...describeConsent(definition, knew, isAsked),
  };
  const today = content.finished_at.slice(0, 10);
  await enqueue(vault, {
    id: draft.id,
    content,
    minutes: readRole(definition, draft.answers, MINUTES),
    person,
    change: (before) => {
      const after = addFinishedRecord(before, definition, { ...draft, cards }, today);
      return isStatement ? addStatement(after, person, root ?? draft.id) : after;
    },
    blobs,
  });
}

/**
 * Finish what a worker says about their caseload that is no form (sync/notes.py). It travels as a
 * record does.
 */
export async function finishNote(
  vault: Vault,
  kind: string,
  body: Json | { code: string; to: number },
  change: (caseload: Caseload) => Caseload,
): Promise<void> {
  const content = {
    form: `fieldapp.${kind}`,
    version: "1",
    finished_at: formatLocalTime(new Date()),
    body: JSON.stringify(body),
  };
  const item = { content, minutes: "", person: parseCardCode(String(body["code"] ?? "")) };
  await enqueue(vault, { ...item, id: crypto.randomUUID(), change, blobs: [] });
}

interface FinishedItem {
  id: string;
  content: { form: string; version: string; finished_at: string; body: string; root?: string };
  minutes: string;
  person: string; // the card code of whom it is about; "" for nobody
  change: (caseload: Caseload) => Caseload;
  blobs: BlobRow[];
}

async function enqueue(vault: Vault, item: FinishedItem): Promise<void> {
  const { user, device, key } = vault.account;
  if (!key || !vault.signer) throw new NoCentreKey();
  const { form, finished_at: finishedAt, root } = item.content;
  const about = await seal(vault.key, {
    form,
    finishedAt,
    minutes: item.minutes,
    ...(root ? { root } : {}),
  });
  const of = item.person ? await seal(vault.key, item.person) : null;
  // The number is inside the seal, so it is given first; should another tab take it meanwhile, it
  // is given again.
  let isNumberTaken = true;
  while (isNumberTaken) {
    const seq = Math.max((await getCounters(user)).made, readHighWater(user).made) + 1;
    const box = await sealToCentre(item.id, device, key, vault.signer, { ...item.content, seq });
    isNumberTaken = !(await putInOutbox(vault, item, { seq, box, about, ...(of && { of }) }));
  }
  raiseHighWater(await getCounters(user));
}

/** Write a numbered item; false when its number was given to another record meanwhile. */
async function putInOutbox(
  vault: Vault,
  { id, change, blobs }: FinishedItem,
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
      if (before.result) return void tx.objectStore("drafts").delete(id); // a second tap
      isNumberTaken = (counters.result?.made ?? 0) >= seq;
      if (isNumberTaken) return;
      try {
        tx.objectStore("drafts").delete(id);
        tx.objectStore("outbox").put({ id, user, state: "waiting", shredOn: 0, ...numbered });
        for (const blob of blobs) tx.objectStore("blobs").put(blob);
        tx.objectStore("counters").put({
          ...(counters.result ?? { user, ...NO_RECORDS }),
          made: seq,
        });
        write();
      } catch {
        tx.abort(); // all of it or nothing
      }
    };
  });
  return !isNumberTaken;
}

/** Delete a record that was not sent yet; the counters go on counting it. */
export async function deleteWaiting(user: number, id: string): Promise<void> {
  await closeOutboxRow(id, "deleted", 1);
  raiseHighWater(await getCounters(user));
}

/**
 * Take a row out of the queue in one transaction with its worker's counters; its sealed content
 * goes at once.
 */
export async function closeOutboxRow(
  id: string,
  state: "delivered" | "kept" | "deleted",
  shredOn: number,
  marks: CardMarks = {},
): Promise<void> {
  const blobs = (await getAllRows("blobs")).filter((blob) => blob.record === id);
  await runTransaction(["outbox", "counters", "blobs"], "readwrite", (tx) => {
    const outbox = tx.objectStore("outbox");
    const counters = tx.objectStore("counters");
    const request = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
    request.onsuccess = () => {
      const row = request.result;
      if (row?.state !== "waiting") return;
      const { of: _, ...rest } = row; // whom it is about, nobody needs any more
      outbox.put({ ...rest, state, box: null, shredOn, ...marks });
      for (const blob of blobs) tx.objectStore("blobs").delete(blob.hash);
      const counted = counters.get(row.user) as IDBRequest<CountersRow | undefined>;
      counted.onsuccess = () => {
        const before = counted.result ?? { user: row.user, ...NO_RECORDS, made: row.seq };
        counters.put({ ...before, [state]: before[state] + 1 });
      };
    };
    return null;
  });
}

/** Delete the lines whose day has come; `today` in days since 1970. */
export async function deleteOldLines(today: number): Promise<void> {
  const rows = await getAllRows("outbox");
  const old = rows.filter((row) => row.shredOn > 0 && row.shredOn <= today);
  if (old.length === 0) return;
  await runTransaction(["outbox"], "readwrite", (tx) => {
    for (const row of old) tx.objectStore("outbox").delete(row.id);
    return null;
  });
}

/** The lines of a worker, the newest first; what cannot be unsealed shows no form and no time. */
export async function listLines(vault: Vault): Promise<OutboxLine[]> {
  type About = Omit<OutboxLine, "id" | "seq" | "state" | keyof CardMarks>;
  const rows = await getAllRows("outbox", vault.account.user);
  const lines = await Promise.all(
    rows.map(async ({ id, seq, state, about, isEnded, isUnlinked }) => {
      const details = about && (await unseal<About>(vault.key, about).catch(() => null));
      return {
        id,
        seq,
        state,
        form: "",
        finishedAt: "",
        minutes: "",
        ...details,
        isEnded,
        isUnlinked,
      };
    }),
  );
  return lines.sort((a, b) => b.seq - a.seq);
}
