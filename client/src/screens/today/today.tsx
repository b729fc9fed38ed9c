/** Today: where the work is, what is due, what is not finished. */

import { ENCOUNTER } from "../../engine/roles";
import { nt, t } from "../../i18n";
import { changeCaseload } from "../../storage/caseload";
import { findMainForm } from "../../storage/forms";
import { formatMoment } from "../day";
import { DataState, NoForms, Ready, Tabs, titleOf, Top } from "../parts";
import { useApp } from "../state";
import { Referrals } from "../to_correct/referrals";
import { ToCorrect } from "../to_correct/to_correct";
import { FollowUps } from "./follow_ups";
import { Week } from "./week";

export function Today() {
  const { forms } = useApp();
  const main = findMainForm(forms);
  return (
    <>
      <Top title={t("Today")} />
      <main class="screen" id="main">
        <div>
          <Ready />
        </div>
        <DataState />
        <ErasedDrafts />
        <ToCorrect />
        <FollowUps />
        <Referrals />
        <Drafts />
        <Week />
        {forms.length === 0 && <NoForms />}
      </main>
      {main && (
        <footer class="foot">
          <a class="btn main wide" href={main.role === ENCOUNTER ? "#/new" : `#/start/${main.id}`}>
            + {main.role === ENCOUNTER ? t("Log an encounter") : titleOf(forms, main.id)}
          </a>
        </footer>
      )}
      <Tabs here="today" />
    </>
  );
}

/** That drafts are gone because their person took everything back, until the worker has read it. */
function ErasedDrafts() {
  const { book, vault, refresh } = useApp();
  if (!book.erased) return null;
  const dismiss = async (): Promise<void> => {
    await changeCaseload(vault, (caseload) => ({ ...caseload, erased: 0 }));
    await refresh();
  };
  return (
    <p class="state wait" role="status">
      {nt(
        "{n} record that you had begun was erased: its person took everything back.",
        "{n} records that you had begun were erased: their people took everything back.",
        book.erased,
      )}{" "}
      <button type="button" class="link" onClick={() => void dismiss()}>
        {t("OK")}
      </button>
    </p>
  );
}

/** Records that were begun and not finished. */
function Drafts() {
  const { forms, drafts } = useApp();
  if (drafts.length === 0) return null;
  return (
    <section class="card" aria-labelledby="drafts">
      <h2 id="drafts">{t("Not finished")}</h2>
      <div>
        {drafts.map((draft) => (
          <div class="item" key={draft.id}>
            <a href={`#/fill/${draft.id}`}>{titleOf(forms, draft.form)}</a>
            <span class="soft">
              {t("Last change {when}", { when: formatMoment(draft.changedAt) })}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}
