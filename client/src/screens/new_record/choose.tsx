/** New: what happened? */

import type { FormDefinition } from "../../engine/definition";
import {
  ENCOUNTER,
  EVENT,
  findQuestion,
  FOLLOWS,
  INCIDENT,
  MEDIATION,
  PARTICIPANT,
  REFERRAL,
  SHIFT,
} from "../../engine/roles";
import { t } from "../../i18n";
import { NoForms, Tabs, titleOf, Top } from "../parts";
import { useApp } from "../state";

const WHAT_HAPPENED: Record<string, () => string> = {
  [ENCOUNTER]: () => t("I met or talked with someone"),
  [MEDIATION]: () => t("I mediated a conflict"),
  [INCIDENT]: () => t("Something serious happened"),
  [REFERRAL]: () => t("I referred someone to a service"),
  [EVENT]: () => t("We held an event or canvass"),
  [PARTICIPANT]: () => t("Intake, review or exit of a participant"),
  [SHIFT]: () => t("My shift"),
};

/** Order forms as they are offered: those with words of their own first, then the rest. */
export function sortByUse<Form extends { id: string; role?: string | undefined }>(
  forms: Form[],
): Form[] {
  const order = Object.keys(WHAT_HAPPENED);
  const rank = ({ role = "" }: Form): number =>
    order.includes(role) ? order.indexOf(role) : order.length;
  return [...forms].sort((a, b) => rank(a) - rank(b));
}

/** Not a follow-up, which begins from what is due: there it is tied to its record. */
const isBegunHere = (form: FormDefinition): boolean => !findQuestion(form, FOLLOWS);

export function ChooseForm() {
  const { forms } = useApp();
  return (
    <>
      <Top title={t("What happened?")} />
      <main class="screen" id="main">
        {sortByUse(forms.filter(isBegunHere)).map(({ id, role = "" }) => (
          <a class="btn wide" key={id} href={`#/start/${id}`}>
            {WHAT_HAPPENED[role]?.() ?? titleOf(forms, id)}
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
