/** The worker's shift: begun with one tap, and said in the form for shifts when it ends. */

import {
  findFormWithRole,
  findQuestion,
  isOfShift,
  SHIFT,
  SHIFT_END,
  SHIFT_START,
} from "../../engine/roles";
import { t } from "../../i18n";
import { changeCaseload } from "../../storage/caseload";
import { formatLocalTime } from "../../storage/outbox";
import { formatMoment } from "../day";
import { useOneAtATime } from "../one_at_a_time";
import { go, noteScreen, useApp } from "../state";
import { endNow } from "./shift_end";

/** Starts a shift, or says since when one is on and ends it. What it stores stays on the phone. */
export function ShiftLine() {
  const { vault, forms, drafts, book, refresh } = useApp();
  const setShift = async (shift: string): Promise<void> => {
    await changeCaseload(vault, (caseload) => ({ ...caseload, shift }));
    await refresh();
  };
  const [start, isStarting] = useOneAtATime(() => setShift(formatLocalTime(new Date())));
  const [forget, isForgetting] = useOneAtATime(async () => {
    if (confirm(t("Undo the start of this shift?"))) await setShift("");
  });
  const form = findFormWithRole(forms, SHIFT);
  const begun = drafts.find(
    ({ form: id, root, answers }) =>
      form && id === form.id && !root && isOfShift(form, answers, book.shift),
  );
  const [stop, isStopping] = useOneAtATime(async () => {
    const isHere = noteScreen();
    if (begun) await endNow(vault, form!, begun, book.shift);
    if (isHere()) go(begun ? `/fill/${begun.id}` : `/start/${form!.id}`);
  });
  if (!form || !findQuestion(form, SHIFT_START) || !findQuestion(form, SHIFT_END)) return null;
  if (!book.shift) {
    return (
      <button type="button" class="btn wide" disabled={isStarting} onClick={() => start()}>
        {t("Start shift")}
      </button>
    );
  }
  return (
    <section class="card">
      <div class="item row">
        <b>{t("On shift since {time}", { time: formatMoment(Date.parse(book.shift)) })}</b>
        <button
          type="button"
          class="btn quiet"
          disabled={isForgetting}
          onClick={() => forget()}
          aria-label={t("Undo the start of the shift")}
        >
          {t("Undo")}
        </button>
        <button type="button" class="btn" disabled={isStopping} onClick={() => stop()}>
          {t("Stop")}
        </button>
      </div>
    </section>
  );
}
