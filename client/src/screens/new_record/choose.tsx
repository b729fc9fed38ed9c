/** New: what happened? */

import { t } from "../../i18n";
import { NoForms, Tabs, titleOf, Top } from "../parts";
import { useApp } from "../state";

const WHAT_HAPPENED: Record<string, () => string> = {
  encounter: () => t("I met or talked with someone"),
  mediation: () => t("I mediated a conflict"),
  incident: () => t("Something serious happened"),
  referral: () => t("I referred someone to a service"),
  event: () => t("We held an event or canvass"),
  participant: () => t("Intake, review or exit of a participant"),
  shift: () => t("My shift"),
};

/** Order forms as they are offered: those with words of their own first, then the rest. */
export function sortByUse<Form extends { id: string }>(forms: Form[]): Form[] {
  const order = Object.keys(WHAT_HAPPENED);
  const rank = ({ id }: Form): number => (order.includes(id) ? order.indexOf(id) : order.length);
  return [...forms].sort((a, b) => rank(a) - rank(b));
}

export function ChooseForm() {
  const { forms } = useApp();
  return (
    <>
      <Top title={t("What happened?")} />
      <main class="screen" id="main">
        {sortByUse(forms).map(({ id }) => (
          <a class="btn wide" key={id} href={`#/start/${id}`}>
            {WHAT_HAPPENED[id]?.() ?? titleOf(forms, id)}
          </a>
        ))}
        {forms.length === 0 && <NoForms />}
        <a class="btn wide" href="#/people">
          {t("My cards")}
        </a>
        <a class="btn wide" href="#/where">
          {t("Where and when")}
        </a>
      </main>
      <Tabs here="new" />
    </>
  );
}
