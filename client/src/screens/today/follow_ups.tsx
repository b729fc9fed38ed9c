/** The follow-ups that are due, and the next one when none is. */

import type { ComponentChild } from "preact";
import { formatCardCode } from "../../engine/cards";
import type { Choice, FormDefinition } from "../../engine/definition";
import {
  AREA,
  CHECK_IN,
  findChoice,
  findChoiceLabel,
  findFollowUpForm,
  FOLLOW_UP_VISIT,
  KIND,
  REVIEW,
} from "../../engine/roles";
import type { FollowUp } from "../../storage/caseload";
import { removeCompleted } from "../../storage/caseload_updates";
import { findMainForm } from "../../storage/forms";
import { currentLanguage, nt, t } from "../../i18n";
import { countDays, formatDay, getLocalDay } from "../day";
import { loadLastSteps } from "../fill/last_steps_later";
import { useOneAtATime } from "../one_at_a_time";
import { titleOf } from "../parts";
import { makeStartAddress } from "../start_address";
import { useApp } from "../state";

/** The follow-ups that are due by a day, and those after it. */
export function splitByDay(
  followUps: FollowUp[],
  today: string,
): { due: FollowUp[]; later: FollowUp[] } {
  return {
    due: followUps.filter((followUp) => followUp.on <= today),
    later: followUps.filter((followUp) => followUp.on > today),
  };
}

/**
 * Where a follow-up is logged: a review in its own form; in the form that follows up such records,
 * where the centre has one; else as a contact, with the card that it is about or the kind that is a
 * follow-up.
 */
export function findLogAddress(forms: FormDefinition[], followUp: FollowUp): string {
  const { id, code, form } = followUp;
  const contact = findMainForm(forms);
  const visit = contact && findChoice(contact, KIND, code ? CHECK_IN : FOLLOW_UP_VISIT);
  const review = findReview(forms, followUp);
  const target = review ? form : (findFollowUpForm(forms, form) ?? contact)?.id;
  const kind = (review ?? visit)?.name ?? "";
  return makeStartAddress(target ?? "", { code, kind, due: id });
}

/** The choice that a review is, where one is due and the phone has its form. */
function findReview(forms: FormDefinition[], { form, own }: FollowUp): Choice | undefined {
  const definition = own ? forms.find(({ id }) => id === form) : undefined;
  return definition && findChoice(definition, KIND, REVIEW);
}

/** What tells apart what is due without a card: what the conflict was about, and where. */
export function describeFollowed(
  forms: FormDefinition[],
  { form, kind = "", area = "" }: Pick<FollowUp, "form" | "kind" | "area">,
): string {
  const definition = forms.find(({ id }) => id === form);
  const labelOf = (role: string, name: string): string =>
    findChoiceLabel(definition, role, name, currentLanguage());
  return [labelOf(KIND, kind), labelOf(AREA, area)].filter(Boolean).join(" · ");
}

const MOST_SHOWN = 20; // of what comes later

interface FollowUpsProps {
  withHelp?: (heading: ComponentChild) => ComponentChild; // once that is on the phone
}

export function FollowUps({ withHelp = (heading) => heading }: FollowUpsProps) {
  const { book } = useApp();
  const { due, later } = splitByDay(book.due, getLocalDay());
  if (book.due.length === 0) return null;
  return (
    <section class="card" aria-labelledby="due">
      {withHelp(<h2 id="due">{t("Due")}</h2>)}
      {due.map((followUp) => (
        <FollowUpItem key={followUp.id} followUp={followUp} />
      ))}
      {due.length === 0 && (
        <p class="soft">
          {t("Nothing is due today. Next: {day}.", { day: formatDay(later[0]!.on) })}
        </p>
      )}
      {later.length > 0 && (
        <details>
          <summary>{t("Coming up ({n})", { n: later.length })}</summary>
          {later.slice(0, MOST_SHOWN).map((followUp) => (
            <FollowUpItem key={followUp.id} followUp={followUp} />
          ))}
        </details>
      )}
    </section>
  );
}

/** When something is due, as said of it today. */
function describeDay(on: string): string {
  const late = countDays(on, getLocalDay());
  if (late < 0) return formatDay(on, "short");
  return late > 0 ? nt("{n} day past due", "{n} days past due", late) : t("today");
}

function FollowUpItem({ followUp }: { followUp: FollowUp }) {
  const { vault, forms, book, refresh, exchange } = useApp();
  const { id, code, form, from, on } = followUp;
  const label = code
    ? book.people.find((person) => person.code === code)?.label
    : describeFollowed(forms, followUp);
  const name = code ? formatCardCode(code) : titleOf(forms, form);
  const review = findReview(forms, followUp);
  const definition = forms.find((each) => each.id === form);
  const isDue = on <= getLocalDay();
  const spoken = label ? `${name} · ${label}` : name;
  const [setAside, isBusy] = useOneAtATime(async () => {
    if (!confirm(t("Take this off your list? {name}", { name: spoken }))) return;
    const { finishNote } = await loadLastSteps();
    await finishNote(vault, "settle", { due: id }, (current) => ({
      ...current,
      due: removeCompleted(current.due, id),
      settled: [...current.settled, id],
    }));
    await refresh();
    void exchange();
  });
  return (
    <div class="item row">
      <a href={findLogAddress(forms, followUp)}>
        <span class={code ? "code" : undefined}>{name}</span>
        {label && ` · ${label}`}
        {review && ` · ${findChoiceLabel(definition, KIND, review.name, currentLanguage())}`}
        <span class="soft"> {t("day {n}", { n: countDays(from, on) })}</span>
      </a>
      <span class={on < getLocalDay() ? "tag wait" : "tag"}>{describeDay(on)}</span>
      {isDue && (
        <button
          type="button"
          class="btn quiet"
          aria-label={t("Not needed: {name}", { name: spoken })}
          disabled={isBusy}
          onClick={() => setAside()}
        >
          {t("Not needed")}
        </button>
      )}
    </div>
  );
}
