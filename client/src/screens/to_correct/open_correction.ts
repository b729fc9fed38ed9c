/** Open a record that the centre has, as a draft to correct. */

import type { FormDefinition } from "../../engine/definition";
import { type EditableRecord, listHeads } from "../../storage/caseload";
import { draftCorrection } from "../../storage/drafts";
import { OVERVIEW } from "../../storage/types";
import { go, noteScreen, type AppState } from "../state";
import { findReason } from "./reasons";

/** The page of the question with a role, of those that the form may have; else the overview. */
function findPage(form: FormDefinition | undefined, role: string): number {
  const group = (form?.summary[role] ?? "").split("/").slice(0, 3).join("/");
  const pages = form?.elements.filter(({ parent }) => parent === "/data") ?? [];
  const page = pages.findIndex(({ path }) => path === group);
  return page < 0 ? OVERVIEW : page;
}

/**
 * Go to the correction of a record, which is begun unless there is one already: to its overview,
 * or the page of the question with a role.
 */
export async function openCorrection(
  app: AppState,
  root: string,
  record: EditableRecord,
  role = "",
): Promise<void> {
  const isHere = noteScreen();
  const begun = app.drafts.find((draft) => draft.root === root);
  // Nobody was asked before: what the correction says is an answer of now.
  const standingHeads = findReason(app.book.todo[root]) ? listHeads(app.book) : undefined;
  const form = app.forms.find(({ id }) => id === record.form);
  const page = role ? findPage(form, role) : OVERVIEW;
  const draft = begun ?? (await draftCorrection(app.vault, root, record, standingHeads, page));
  await app.refresh();
  if (isHere()) go(`/fill/${draft.id}`);
}
