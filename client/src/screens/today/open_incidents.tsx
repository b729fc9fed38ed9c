/** Incidents of one's own that have not come to an end, each with the way to say what is new. */

import { findFollowUpForm } from "../../engine/roles";
import type { Caseload, OpenIncident } from "../../storage/caseload";
import { t } from "../../i18n";
import { formatDay, getLocalDay } from "../day";
import { Help } from "../help/help";
import { titleOf } from "../parts";
import { makeStartAddress } from "../start_address";
import { useApp } from "../state";
import { describeFollowed } from "./follow_ups";

/** Open incidents without those that are due today, which stand above. The newest comes first. */
export function listOpen({ open, due }: Caseload, today: string): [string, OpenIncident][] {
  const isDue = (root: string): boolean =>
    due.some(({ id, on }) => on <= today && id.startsWith(`${root}/`));
  const entries = Object.entries(open)
    .filter(([root]) => !isDue(root))
    .reverse();
  return entries.sort(([, a], [, b]) => b.from.localeCompare(a.from));
}

export function OpenIncidents() {
  const { forms, book } = useApp();
  const incidents = listOpen(book, getLocalDay()).filter(([, { form }]) =>
    findFollowUpForm(forms, form),
  );
  if (incidents.length === 0) return null;
  return (
    <section class="card" aria-labelledby="open-incidents">
      <Help about="incidents" name={t("Open incidents")}>
        <h2 id="open-incidents">{t("Open incidents")}</h2>
      </Help>
      {incidents.map(([root, incident]) => (
        <div class="item row" key={root}>
          <a href={makeStartAddress(findFollowUpForm(forms, incident.form)!.id, { due: root })}>
            {describeFollowed(forms, incident) || titleOf(forms, incident.form)}
            <span class="soft"> {formatDay(incident.from, "short")}</span>
          </a>
        </div>
      ))}
    </section>
  );
}
