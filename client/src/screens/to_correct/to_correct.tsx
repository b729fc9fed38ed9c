/** What the centre asks of the worker: records to correct, cards whose codes clash. */

import { formatCardCode, makeCardCode } from "../../engine/cards";
import { randomBytes } from "../../storage/bytes";
import { finishNote } from "../../storage/outbox";
import { t } from "../../i18n";
import { formatDay, getLocalDay } from "../day";
import { titleOf } from "../parts";
import { reissueCard } from "../people/caseload_changes";
import { go, useApp } from "../state";
import { openCorrection } from "./open_correction";

export function ToCorrect() {
  const app = useApp();
  const { forms, book } = app;
  const records = Object.entries(book.todo);
  if (records.length + book.clashes.length === 0) return null;
  return (
    <section class="card" aria-labelledby="needs">
      <h2 id="needs">{t("To correct")}</h2>
      {records.map(([root, record]) => (
        <div class="item" key={root}>
          <b>
            {titleOf(forms, record.form)} · {formatDay(record.day)}
          </b>
          <p class="soft">
            {record.state === "returned"
              ? t("Your centre sent it back: “{comment}”", { comment: record.comment ?? "" })
              : t(
                  "The centre has the record, but could not store it as it is. Review it and finish it again.",
                )}
          </p>
          <button
            type="button"
            class="btn wide"
            onClick={() => void openCorrection(app, root, record)}
          >
            {t("Correct the record")}
          </button>
        </div>
      ))}
      {book.clashes.map((code) => (
        <Clash key={code} code={code} />
      ))}
    </section>
  );
}

/** Two phones made the same code: this one gives its person a new one, and their records follow. */
function Clash({ code }: { code: string }) {
  const { vault, refresh, exchange } = useApp();
  const makeNewCard = async (): Promise<void> => {
    const fresh = makeCardCode(randomBytes(8));
    await finishNote(vault, "reissue", { code, new: fresh }, (current) =>
      reissueCard(current, code, fresh, getLocalDay()),
    );
    await refresh();
    go(`/card/${fresh}`);
    void exchange();
  };
  return (
    <div class="item">
      <b class="code">{formatCardCode(code)}</b>
      <p class="soft">
        {t("By chance another phone created the same code. Give your participant a new card.")}
      </p>
      <button type="button" class="btn wide" onClick={() => void makeNewCard()}>
        {t("Create the new card")}
      </button>
    </div>
  );
}
