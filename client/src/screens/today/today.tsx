/** Today: where the work is, what is due, what is not finished. */

import { ENCOUNTER } from "../../engine/roles";
import { t } from "../../i18n";
import { findMainForm } from "../../storage/forms";
import { formatMoment } from "../day";
import { describeAnswers } from "../describe_record";
import { DataState, NoForms, Ready, Tabs, titleOf, Top } from "../parts";
import { useOtherScreens } from "../others_piece";
import { useApp } from "../state";
import { FollowUps } from "./follow_ups";

export function Today() {
  const { forms, book, ledger, drafts } = useApp();
  const main = findMainForm(forms);
  // Not of somebody who has people already, and comes with a new phone.
  const isFirstDay = ledger.made === 0 && drafts.length === 0 && book.people.length === 0;
  const parts = useOtherScreens();
  return (
    <>
      <Top title={t("Today")} />
      <main class="screen" id="main">
        <div>
          <Ready />
        </div>
        <DataState />
        {isFirstDay && parts && <parts.FirstDay />}
        {parts && <parts.ErasedDrafts />}
        {parts && <parts.ShiftLine />}
        {parts && <parts.ToCorrect />}
        <FollowUps />
        {parts && <parts.OpenIncidents />}
        {parts && <parts.Referrals />}
        <Drafts />
        {parts && <parts.Week />}
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

/** Records that were begun and not finished. */
function Drafts() {
  const app = useApp();
  const { forms, book } = app;
  // What was sent back stands under what needs the worker, begun or not.
  const drafts = app.drafts.filter(({ root }) => !root || !book.todo[root]);
  if (drafts.length === 0) return null;
  return (
    <section class="card" aria-labelledby="drafts">
      <h2 id="drafts">{t("Not finished")}</h2>
      <div>
        {drafts.map((draft) => (
          <div class="item" key={draft.id}>
            <a href={`#/fill/${draft.id}`}>{titleOf(forms, draft.form)}</a>
            {describeAnswers(app, draft)}
            <span class="soft">
              {t("Last change {when}", { when: formatMoment(draft.changedAt) })}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}
