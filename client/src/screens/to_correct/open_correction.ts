/** Open a record that the centre has, as a draft to correct. */

import { type EditableRecord, listHeads } from "../../storage/caseload";
import { draftCorrection } from "../../storage/drafts";
import { go, type AppState } from "../state";
import { findReason } from "./reasons";

/** Go to the correction of a record, which is begun unless there is one already. */
export async function openCorrection(
  app: AppState,
  root: string,
  record: EditableRecord,
): Promise<void> {
  const begun = app.drafts.find((draft) => draft.root === root);
  // Nobody was asked before: what the correction says is an answer of now.
  const standingHeads = findReason(app.book.todo[root]) ? listHeads(app.book) : undefined;
  const draft = begun ?? (await draftCorrection(app.vault, root, record, standingHeads));
  await app.refresh();
  go(`/fill/${draft.id}`);
}
