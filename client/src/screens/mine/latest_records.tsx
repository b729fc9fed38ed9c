/** The records that were finished lately, and what can still be done about each. */

import { nt, t } from "../../i18n";
import type { OutboxLine } from "../../storage/outbox";
import { formatMoment } from "../day";
import { describeRecord } from "../describe_record";
import { loadLastSteps } from "../fill/last_steps_later";
import { useOneAtATime } from "../one_at_a_time";
import { titleOf } from "../parts";
import { describeState, findWays } from "../record_ways";
import { useApp } from "../state";

const MOST = 20;

/** What a note says that is no record (sync/notes.py). */
const NOTES: Record<string, () => string> = {
  "fieldapp.settle": () => t("A follow-up set aside"),
  "fieldapp.handover": () => t("Handed over to a colleague"),
  "fieldapp.reissue": () => t("A new card for a code that two phones created"),
  "fieldapp.seen": () => t("Seen: what the crisis team assigned to you"),
  "fieldapp.ask": () => t("Asked the crisis team"),
};

export function LatestRecords() {
  const { vault, lines } = useApp();
  if (lines.length === 0) return null;
  const again = lines.filter(({ isAgain }) => isAgain).length;
  return (
    <section class="card">
      <h2>{t("Latest")}</h2>
      {again > 0 && (
        <p role="status">
          {nt(
            "The centre went back to an earlier copy. This phone is sending {n} record again. You need do nothing.",
            "The centre went back to an earlier copy. This phone is sending {n} records again. You need do nothing.",
            again,
          )}
        </p>
      )}
      <div>
        {lines.slice(0, MOST).map((line) => (
          <RecordItem key={line.id} line={line} />
        ))}
      </div>
      <p class="soft">
        {nt(
          "Finished records are encrypted: only you can open them here, until {n} day after they were sent.",
          "Finished records are encrypted: only you can open them here, until {n} days after they were sent.",
          vault.account.rules.shred_days,
        )}
      </p>
    </section>
  );
}

function RecordItem({ line }: { line: OutboxLine }) {
  const app = useApp();
  const { forms, drafts } = app;
  const { id, form, finishedAt, isEnded, isUnlinked, hasCopy } = line;
  const { isOpen, isCorrectable } = findWays(line, drafts);
  const about = describeRecord(app, line);
  const name = NOTES[form]?.() ?? titleOf(forms, form);
  const correction = t("correction · ");
  const [deleteRecord, isDeleting] = useOneAtATime(async () => {
    const question = t("Delete this record before it is sent? This cannot be undone.");
    const { deleteFinished } = await loadLastSteps();
    await deleteFinished(app, id, question);
  });
  const [correct, isOpening] = useOneAtATime(async () =>
    (await loadLastSteps()).changeFinished(app, line),
  );
  return (
    <div class="item row">
      <div>
        {hasCopy ? <a href={`#/record/${id}`}>{name}</a> : <b>{name}</b>}
        <br />
        {about && (
          <>
            {about}
            <br />
          </>
        )}
        <span class="soft">
          {finishedAt && `${formatMoment(Date.parse(finishedAt))} · `}
          {line.root && correction}
          {describeState(line)}
        </span>
        {isEnded && (
          <p>
            {t(
              "This person took everything back, so nothing of this was stored. Give them a new card.",
            )}
          </p>
        )}
        {isUnlinked && (
          <p>
            {t(
              "The centre has not heard of this card for two years and does not know it any more. Give the person a new card.",
            )}
          </p>
        )}
      </div>
      {isOpen && (
        <button
          type="button"
          class="btn quiet"
          aria-label={t("Delete: {name}", { name })}
          disabled={isDeleting}
          onClick={() => deleteRecord()}
        >
          {t("Delete")}
        </button>
      )}
      {isCorrectable && forms.some((each) => each.id === form) && (
        <button
          type="button"
          class="btn quiet"
          aria-label={t("Correct: {name}", { name })}
          disabled={isOpening}
          onClick={() => correct()}
        >
          {t("Correct")}
        </button>
      )}
    </div>
  );
}
