/**
 * The phone's Back goes one page back in a form, and leaves it from the first page only. Each page
 * that was gone to is an entry of the browser's history; all of them have the address of the draft.
 */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface Entry {
  form: string; // address of the draft
  page: number;
}

const PATIENCE = 300; // milliseconds that a browser may take to go back

let isLeaving = false; // going back over all pages at once: none of them is to be shown

/** The page of the entry of the history that the browser is at; null where it is none of a form. */
function readPage(): number | null {
  const entry = history.state as Entry | null;
  return entry?.form === location.hash ? entry.page : null;
}

/** Bring the history from the entry of one page to that of another. */
function move(from: number, to: number): void {
  const form = location.hash;
  for (let page = from + 1; page <= to; page++) history.pushState({ form, page }, "", form);
  if (to < from) history.go(to - from);
}

/**
 * Let the history follow the page that is shown, and the page follow the history. `written` is the
 * last write of the draft: before the first one it has no address.
 */
export function usePhoneBack(
  here: number,
  written: () => Promise<void>,
  turnTo: (page: number) => void,
): void {
  const at = useRef<number | null>(null); // the page of the entry that we asked for last
  const shown = useRef(here);
  shown.current = here;
  const turn = useRef(turnTo);
  turn.current = turnTo;
  // Before the page is seen: whoever goes back at once must not leave the form.
  useLayoutEffect(() => {
    void written().then(() => {
      if (shown.current !== here || !location.hash.startsWith("#/fill/")) return;
      if (at.current === null) at.current = readPage();
      if (at.current === null) {
        history.replaceState({ form: location.hash, page: 0 }, "");
        at.current = 0;
      }
      move(at.current, here);
      at.current = here;
    });
  }, [here]);
  useEffect(() => {
    const follow = (): void => {
      const page = readPage();
      if (page === null || isLeaving) return;
      at.current = page;
      if (page !== shown.current) turn.current(page);
    };
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
}

/** Go back over the pages of a form, so that Back does not lead through one that is gone. */
export async function leavePages(): Promise<void> {
  const page = readPage();
  if (!page) return;
  isLeaving = true;
  await new Promise<void>((done) => {
    addEventListener("popstate", () => done(), { once: true });
    setTimeout(done, PATIENCE);
    history.go(-page);
  });
  isLeaving = false;
}
