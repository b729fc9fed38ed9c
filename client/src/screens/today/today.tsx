/** Today: where the work is and what is due, then what can be drawn a moment later. */

import { ENCOUNTER } from "../../engine/roles";
import { t } from "../../i18n";
import { findMainForm } from "../../storage/forms";
import { DataState, NoForms, Ready, Tabs, titleOf, Top } from "../parts";
import { useOtherScreens } from "../others_piece";
import { useApp } from "../state";
import { FollowUps } from "./follow_ups";

export function Today() {
  const { forms } = useApp();
  const main = findMainForm(forms);
  const parts = useOtherScreens();
  return (
    <>
      <Top title={t("Today")} />
      <main class="screen" id="main">
        {parts && <parts.FromTeam />}
        <div>
          <Ready />
        </div>
        <DataState />
        {parts && <parts.AboveDue />}
        <FollowUps
          withHelp={(heading) =>
            parts ? (
              <parts.Help about="due" name={t("Due")}>
                {heading}
              </parts.Help>
            ) : (
              heading
            )
          }
        />
        {parts && <parts.BelowDue />}
        {forms.length === 0 && <NoForms />}
      </main>
      {main && (
        <footer class="foot">
          {parts && <parts.UsualKinds contact={main} />}
          <a class="btn main wide" href={main.role === ENCOUNTER ? "#/new" : `#/start/${main.id}`}>
            + {main.role === ENCOUNTER ? t("Log an encounter") : titleOf(forms, main.id)}
          </a>
        </footer>
      )}
      <Tabs here="today" />
    </>
  );
}
