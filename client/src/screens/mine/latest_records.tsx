/** The records that were finished lately, and what can still be done about each. */

import { nt, t } from "../../i18n";
import { deleteWaiting, type OutboxLine } from "../../storage/outbox";
import { formatMoment } from "../day";
import { titleOf } from "../parts";
import { useApp } from "../state";

const MOST = 20;

export function LatestRecords() {
  const { vault, lines } = useApp();
  if (lines.length === 0) return null;
  return (
    <section class="card">
      <h2>{t("Latest")}</h2>
      <div>
        {lines.slice(0, MOST).map((line) => (
          <RecordItem key={line.id} line={line} />
        ))}
      </div>
      <p class="soft">
        {nt(
          "Finished records are encrypted: not even this phone can read them. They leave this list after {n} day.",
          "Finished records are encrypted: not even this phone can read them. They leave this list after {n} days.",
          vault.account.rules.shred_days,
        )}
      </p>
    </section>
  );
}

function RecordItem({ line }: { line: OutboxLine }) {
  const { vault, forms, refresh } = useApp();
  const { id, root, form, state, finishedAt, isEnded, isUnlinked } = line;
  const name = titleOf(forms, form);
  const states = {
    waiting: t("waits on this phone"),
    delivered: t("at the centre"),
    kept: t("with the centre, to be reviewed"),
    deleted: isEnded ? t("erased before it was sent") : t("deleted by you"),
  };
  const deleteRecord = async (): Promise<void> => {
    if (!confirm(t("Delete this record before it is sent? This cannot be undone."))) return;
    await deleteWaiting(vault.account.user, id);
    await refresh();
  };
  return (
    <div class="item row">
      <div>
        <b>{name}</b>
        <br />
        <span class="soft">
          {finishedAt && `${formatMoment(Date.parse(finishedAt))} · `}
          {states[state]}
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
      {state === "waiting" && (
        <button
          type="button"
          class="btn quiet"
          aria-label={t("Delete: {name}", { name })}
          onClick={() => void deleteRecord()}
        >
          {t("Delete")}
        </button>
      )}
      {state === "delivered" && !isEnded && forms.some((each) => each.id === form) && (
        <a
          class="btn quiet"
          href={`#/correct/${root || id}`}
          aria-label={t("Correct: {name}", { name })}
        >
          {t("Correct")}
        </a>
      )}
    </div>
  );
}
