/** What the centre asks of the worker: records to correct, cards whose codes clash. */

import { formatCardCode, makeCardCode } from "../../engine/cards";
import { randomBytes } from "../../storage/bytes";
import type { EditableRecord } from "../../storage/caseload";
import { finishNote } from "../../storage/notes";
import { t } from "../../i18n";
import { formatDay, getLocalDay } from "../day";
import { Help } from "../help/help";
import { describeAnswers } from "../describe_record";
import { useOneAtATime } from "../one_at_a_time";
import { titleOf } from "../parts";
import { reissueCard } from "../people/caseload_changes";
import { go, noteScreen, useApp } from "../state";
import { openCorrection } from "./open_correction";
import { describeReason } from "./reasons";

export function ToCorrect() {
  const app = useApp();
  const { forms, book } = app;
  const records = Object.entries(book.todo);
  if (records.length + book.clashes.length === 0) return null;
  return (
    <section class="card" aria-labelledby="needs">
      <Help about="toCorrect" name={t("To correct")}>
        <h2 id="needs">{t("To correct")}</h2>
      </Help>
      {records.map(([root, record]) => (
        <div class="item" key={root}>
          <b>
            {titleOf(forms, record.form)} · {formatDay(record.day)}
          </b>
          {describeAnswers(app, record)}
          <p class="soft">{describeReason(record)}</p>
          <CorrectButton
            root={root}
            record={record}
            label={t("Correct the record")}
            spoken={`${t("Correct the record")}: ${titleOf(forms, record.form)}`}
            look="btn wide"
          />
        </div>
      ))}
      {book.clashes.map((code) => (
        <Clash key={code} code={code} />
      ))}
    </section>
  );
}

interface CorrectButtonProps {
  root: string;
  record: EditableRecord;
  label: string;
  spoken: string; // begins with the label, for who speaks to the phone
  look: string;
  role?: string; // of the question to begin with
}

/** Opens a record to correct it, once however often it is pressed. */
export function CorrectButton({ root, record, label, spoken, look, role }: CorrectButtonProps) {
  const app = useApp();
  const [correct, isBusy] = useOneAtATime(() => openCorrection(app, root, record, role));
  return (
    <button
      type="button"
      class={look}
      aria-label={spoken}
      disabled={isBusy}
      onClick={() => correct()}
    >
      {label}
    </button>
  );
}

/** Two phones made the same code: this one gives its person a new one, and their records follow. */
function Clash({ code }: { code: string }) {
  const { vault, refresh, exchange } = useApp();
  const [makeNewCard, isBusy] = useOneAtATime(async () => {
    const isHere = noteScreen();
    const fresh = makeCardCode(randomBytes(8));
    await finishNote(vault, "reissue", { code, new: fresh }, (current) =>
      reissueCard(current, code, fresh, getLocalDay()),
    );
    await refresh();
    if (isHere()) go(`/card/${fresh}`);
    void exchange();
  });
  return (
    <div class="item">
      <b class="code">{formatCardCode(code)}</b>
      <p class="soft">
        {t("By chance another phone created the same code. Give your participant a new card.")}
      </p>
      <button type="button" class="btn wide" disabled={isBusy} onClick={() => makeNewCard()}>
        {t("Create the new card")}
      </button>
    </div>
  );
}
