/** Today: where the work is and what is due, then what can be drawn a moment later. */

import { ENCOUNTER } from "../../engine/roles";
import { t } from "../../i18n";
import { findMainForm } from "../../storage/forms";
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
        {parts && <parts.Drafts />}
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
