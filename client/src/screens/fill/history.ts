/**
 * Entries of the browser's history that are pages of a form. Each page that was gone to is one; all
 * of them have the address of the draft.
 */

export interface PageEntry {
  form: string; // address of the draft
  page: number;
  depth: number; // how many entries of the same form come before it
  isReview?: boolean; // a question that was opened from the overview, which is the entry before
}

const PATIENCE = 1000; // milliseconds that a browser may take to go back

export const leaving = { isUnderWay: false }; // back over all pages: none of them is to be shown

/** The entry that the browser is at; null where it is none of the form with this address. */
export function readEntry(): PageEntry | null {
  const entry = history.state as PageEntry | null;
  return entry?.form === location.hash ? entry : null;
}

/** Go back over the pages of a form, so that Back does not lead through one that is gone. */
export async function leavePages(): Promise<void> {
  const depth = readEntry()?.depth;
  if (!depth) return;
  leaving.isUnderWay = true;
  await new Promise<void>((done) => {
    addEventListener("popstate", () => done(), { once: true });
    setTimeout(done, PATIENCE);
    history.go(-depth);
  });
  leaving.isUnderWay = false;
}
