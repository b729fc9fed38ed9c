/** Forms that are being filled in, sealed from the first keystroke. */

import type { Json } from "../engine/types";
import type { EditableRecord } from "./caseload";
import { deleteRow, getAllRows, getRow, putRow, updateRow } from "./database";
import { closeOutboxRow } from "./outbox";
import { type DraftRow, OVERVIEW } from "./types";
import { seal, unseal, type Vault } from "./vault";

export interface Draft {
  id: string;
  form: string;
  version: string;
  changedAt: number;
  page: number;
  at?: string; // place of the question to begin with, the first time it is opened
  presets?: string[]; // places of answers that nobody has looked at yet
  answers: Json;
  due?: string; // the follow-up that this is
  root?: string; // the record that it corrects
  clock?: string; // local time by which that was judged; see findClock
  prev?: string[]; // versions of that record that the worker saw
  minted?: string[]; // cards that were made while filling it in
  heads?: Record<string, string[]>; // see listHeads, as it was when this was begun
}

export async function saveDraft(vault: Vault, draft: Draft): Promise<void> {
  await putRow("drafts", {
    id: draft.id,
    user: vault.account.user,
    sealed: await seal(vault.key, draft),
  });
}

/** Write a draft that was written before; false where it was deleted meanwhile: it stays so. */
export async function rewriteDraft(vault: Vault, draft: Draft): Promise<boolean> {
  const sealed = await seal(vault.key, draft);
  let isThere = false;
  await updateRow("drafts", draft.id, (row) => {
    isThere = true;
    return { ...row, sealed };
  });
  return isThere;
}

export async function isDraft(id: string): Promise<boolean> {
  return (await getRow("drafts", id)) !== undefined;
}

async function unsealDraft(vault: Vault, row: DraftRow): Promise<Draft> {
  const draft = await unseal<Draft>(vault.key, row.sealed);
  return { ...row, ...draft }; // the first version of the app kept form and time outside the seal
}

/** A draft of this worker; null when there is none of that id. */
export async function openDraft(vault: Vault, id: string): Promise<Draft | null> {
  const row = await getRow("drafts", id);
  return row?.user === vault.account.user ? unsealDraft(vault, row) : null;
}

/** The worker's drafts that can be read, the one changed last first. */
export async function listDrafts(vault: Vault): Promise<Draft[]> {
  const rows = await getAllRows("drafts", vault.account.user);
  const drafts = await Promise.all(rows.map((row) => unsealDraft(vault, row).catch(() => null)));
  return drafts.filter((draft) => draft !== null).sort((a, b) => b.changedAt - a.changedAt);
}

/** Delete a draft; where it was a finished record before, that one counts as deleted. */
export async function discardDraft(id: string): Promise<void> {
  await deleteRow("drafts", id);
  if ((await getRow("outbox", id))?.state === "open") await closeOutboxRow(id, "deleted", 1);
}

/**
 * Make a new draft that corrects the record `root`, which the centre holds. `standingHeads`: what
 * the phone knows that people said, where the correction has to ask; see listHeads.
 */
export async function draftCorrection(
  vault: Vault,
  root: string,
  record: EditableRecord & { problems?: { path: string }[] },
  standingHeads?: Record<string, string[]>,
  page = OVERVIEW,
): Promise<Draft> {
  const { form, version, answers, heads, clock, problems = [] } = record;
  const at = problems.find(({ path }) => path !== "")?.path;
  const draft: Draft = {
    id: crypto.randomUUID(),
    form,
    version,
    changedAt: Date.now(),
    page,
    ...(at && { at }),
    answers,
    root,
    prev: heads,
    ...(clock && { clock }),
    ...(standingHeads && { heads: standingHeads }),
  };
  await saveDraft(vault, draft);
  return draft;
}
