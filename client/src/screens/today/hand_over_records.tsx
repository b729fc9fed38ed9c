/** Give mediations and incidents, which name no card, to a colleague with what is due of them. */

import type { Caseload, FollowUp, OpenIncident } from "../../storage/caseload";
import { finishNote } from "../../storage/notes";
import { t } from "../../i18n";
import { formatDay } from "../day";
import { useOneAtATime } from "../one_at_a_time";
import { titleOf } from "../parts";
import { removeRecords } from "../people/caseload_changes";
import { ColleagueChoice } from "../people/hand_over";
import { useApp } from "../state";
import { describeFollowed } from "./follow_ups";

/** The records without a card of which something is due or open, the earliest due first. */
export function listWithoutCard({ due, open }: Caseload): [string, FollowUp | OpenIncident][] {
  const records = new Map<string, FollowUp | OpenIncident>();
  for (const followUp of due) {
    const [root] = followUp.id.split("/") as [string];
    if (followUp.code === "" && !records.has(root)) records.set(root, followUp);
  }
  for (const [root, incident] of Object.entries(open))
    if (!records.has(root)) records.set(root, incident);
  return [...records];
}

export function HandOverRecords() {
  const { vault, forms, book, refresh, exchange } = useApp();
  const { team } = vault.account;
  const [handOver, isBusy] = useOneAtATime(async (to: number, roots: string[]) => {
    const name = team.find(({ user }) => user === to)?.label;
    if (!name || roots.length === 0) return;
    if (!confirm(t("Hand over to {name}? What you chose leaves your list.", { name }))) return;
    for (const record of roots)
      await finishNote(vault, "handover", { record, to }, (current) =>
        removeRecords(current, [record]),
      );
    await refresh();
    void exchange();
  });
  const records = listWithoutCard(book);
  if (team.length === 0 || records.length === 0) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    handOver(Number(data.get("to")), data.getAll("record").map(String));
  };
  return (
    <details class="card">
      <summary>{t("Hand over mediations and incidents")}</summary>
      <form class="stack" onSubmit={submit}>
        <fieldset>
          <legend>{t("Which ones?")}</legend>
          <div class="choices">
            {records.map(([root, { form, from, kind, area }]) => (
              <label class="choice" key={root}>
                <input type="checkbox" name="record" value={root} />
                <span>
                  {describeFollowed(forms, { form, kind: kind ?? "", area: area ?? "" }) ||
                    titleOf(forms, form)}
                  {` · ${formatDay(from, "short")}`}
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        <ColleagueChoice
          hint={t("They are reminded from now on. Cards are handed over on their own page.")}
        />
        <button class="btn wide" disabled={isBusy}>
          {t("Hand over")}
        </button>
      </form>
    </details>
  );
}
