/** Open a record that the centre has, as a draft to correct. */

import type { EditableRecord } from "../../storage/caseload";
import { draftCorrection } from "../../storage/drafts";
import { go, type AppState } from "../state";

/** Go to the correction of a record, which is begun unless there is one already. */
export async function openCorrection(
  app: AppState,
  root: string,
  record: EditableRecord,
): Promise<void> {
  const begun = app.drafts.find((draft) => draft.root === root);
  const draft = begun ?? (await draftCorrection(app.vault, root, record));
  await app.refresh();
  go(`/fill/${draft.id}`);
}
