/** Open a finished record to change it: the record itself as long as nobody else has it. */

import type { OutboxLine } from "../../storage/outbox";
import { go, noteScreen, replaceWith, type AppState } from "../state";
import { openCorrection } from "../to_correct/open_correction";
import { deleteWaiting, readOwnVersion, takeBack } from "../../storage/take_back";

type Finished = Pick<OutboxLine, "id" | "root" | "state">;

/**
 * Make what was not sent a draft again. What the centre may have is corrected: with what it sent
 * back, else with the copy on this phone, else once the centre has given it.
 */
export async function changeFinished(app: AppState, line: Finished): Promise<void> {
  const root = line.root ?? line.id;
  const isHere = noteScreen();
  if (line.state === "waiting" && (await takeBack(app.vault, line.id))) {
    await app.refresh();
    // They went back at once: the draft is on Today, and Forward leads to it too.
    if (!isHere()) return;
    // It is a finished record no more: Back must not lead to a screen about one.
    const show = location.hash.includes(line.id) ? replaceWith : go;
    return show(`/fill/${line.id}`);
  }
  const record = app.book.todo[root] ?? (await readOwnVersion(app.vault, root));
  if (!isHere()) return;
  if (record) return openCorrection(app, root, record);
  go(`/correct/${root}`);
}

/** Delete a record that waits, once its worker is sure; return whether they were. */
export async function deleteFinished(
  app: AppState,
  id: string,
  question: string,
): Promise<boolean> {
  if (!confirm(question)) return false;
  await deleteWaiting(app.vault, id);
  await app.refresh();
  return true;
}
