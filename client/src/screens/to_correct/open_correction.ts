/** Open a record that the centre has, as a draft to correct. */

import type { Correctable } from "../../storage/book";
import { draftCorrection } from "../../storage/records";
import { go, type AppState } from "../state";

/** Go to the correction of a record, which is begun unless there is one already. */
export async function openCorrection(
  app: AppState,
  root: string,
  record: Correctable,
): Promise<void> {
  const begun = app.drafts.find((draft) => draft.root === root);
  const draft = begun ?? (await draftCorrection(app.vault, root, record));
  await app.refresh();
  go(`/fill/${draft.id}`);
}
