/** Give a card and what is due for it to a colleague, also while there is no signal. */

import { t } from "../../i18n";
import { finishNote } from "../../storage/notes";
import { useOneAtATime } from "../one_at_a_time";
import { go, noteScreen, useApp } from "../state";
import { giveCard } from "./caseload_changes";

/** The colleagues to choose from. */
export function ColleagueChoice({ hint }: { hint: string }) {
  const { team } = useApp().vault.account;
  return (
    <>
      <label for="to">{t("To whom?")}</label>
      <p class="hint" id="to-hint">
        {hint}
      </p>
      <select id="to" name="to" required aria-describedby="to-hint">
        <option value="">{t("Choose …")}</option>
        {team.map(({ user, label }) => (
          <option key={user} value={user}>
            {label}
          </option>
        ))}
      </select>
    </>
  );
}

export function HandOver({ code }: { code: string }) {
  const { vault, refresh, exchange } = useApp();
  const { team } = vault.account;
  const [handOver, isBusy] = useOneAtATime(async (to: number) => {
    const name = team.find((colleague) => colleague.user === to)?.label;
    const question = t("Hand this card over to {name}? The card leaves your list.", {
      name: name ?? "",
    });
    if (!name || !confirm(question)) return;
    const isHere = noteScreen();
    await finishNote(vault, "handover", { code, to }, (current) => giveCard(current, code));
    await refresh();
    if (isHere()) go("/people");
    void exchange();
  });
  if (team.length === 0) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    handOver(Number(new FormData(event.target as HTMLFormElement).get("to")));
  };
  return (
    <details>
      <summary>{t("Hand over to a colleague")}</summary>
      <form class="stack" onSubmit={submit}>
        <ColleagueChoice
          hint={t("They see the code and what is due. Your name for the card stays with you.")}
        />
        <button class="btn wide" disabled={isBusy}>
          {t("Hand over")}
        </button>
      </form>
    </details>
  );
}
