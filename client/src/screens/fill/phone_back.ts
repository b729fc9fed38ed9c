/**
 * The phone's Back goes one page back in a form, from a question that was opened from the overview
 * back to that, and leaves the form from the first page only.
 */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { leaving, type PageEntry, readEntry } from "./history";

interface PhoneBackProps {
  step: number; // the page that is shown; the overview comes after all of them
  isReview: boolean; // its question was opened from the overview
  isFixed: boolean; // something is shown that has to be answered first
  /** The last write of the draft: before the first one it has no address. */
  written: () => Promise<void>;
  turnTo: (step: number, isReview: boolean) => void;
}

const FORMS = /^#\/(fill\/|practice$)/;

/** Bring the history from an entry to that of a page of the same form. */
function move({ form, depth }: PageEntry, to: number): PageEntry {
  for (let page = depth + 1; page <= to; page++)
    history.pushState({ form, page, depth: page }, "", form);
  if (to < depth) history.go(to - depth);
  return { form, page: to, depth: to };
}

/** Make a question that was opened from the overview the entry after that. */
function review(entry: PageEntry, page: number): PageEntry {
  const depth = entry.isReview ? entry.depth : entry.depth + 1;
  const reviewed = { form: entry.form, page, depth, isReview: true };
  if (entry.isReview) history.replaceState(reviewed, "", entry.form);
  else history.pushState(reviewed, "", entry.form);
  return reviewed;
}

/** Let the history follow the page that is shown, and the page follow the history. */
export function PhoneBack(props: PhoneBackProps): null {
  const { step, isReview, written } = props;
  const at = useRef<PageEntry | null>(null); // the entry that we asked for last
  const current = useRef(props);
  current.current = props;
  // Before the page is seen: whoever goes back at once must not leave the form.
  useLayoutEffect(() => {
    void written().then(() => {
      const isOld = current.current.step !== step || current.current.isReview !== isReview;
      if (isOld || !FORMS.test(location.hash)) return;
      at.current ??= readEntry();
      if (at.current === null) {
        at.current = { form: location.hash, page: 0, depth: 0 };
        history.replaceState(at.current, "");
      }
      at.current = isReview ? review(at.current, step) : move(at.current, step);
    });
  }, [step, isReview]);
  useEffect(() => {
    const follow = (): void => {
      const entry = readEntry();
      if (entry === null || leaving.isUnderWay) return;
      const shown = current.current;
      at.current = entry;
      if (shown.isFixed) at.current = move(entry, shown.step);
      else if (entry.page !== shown.step) shown.turnTo(entry.page, entry.isReview === true);
    };
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  return null;
}
