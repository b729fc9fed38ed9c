/** The follow-ups that are due, and the next one when none is. */

import { formatCardCode } from "../../engine/cards";
import { type FormDefinition, inLanguage } from "../../engine/definition";
import {
  AREA,
  findChoice,
  findFollowUpForm,
  FOLLOW_UP_VISIT,
  KIND,
  listChoicesOf,
} from "../../engine/roles";
import type { FollowUp } from "../../storage/caseload";
import { removeCompleted } from "../../storage/caseload_updates";
import { findMainForm } from "../../storage/forms";
import { finishNote } from "../../storage/outbox";
import { currentLanguage, nt, t } from "../../i18n";
import { countDays, formatDay, getLocalDay } from "../day";
import { titleOf } from "../parts";
import { useApp } from "../state";

/** The follow-ups that are due by a day, and the first one after it. */
export function splitByDay(
  followUps: FollowUp[],
  today: string,
): { due: FollowUp[]; next: FollowUp | undefined } {
  return {
    due: followUps.filter((followUp) => followUp.on <= today),
    next: followUps.find((followUp) => followUp.on > today),
  };
}

/**
 * Where a follow-up is logged: in the form that follows up such records, where the centre has one;
 * else as a contact, with the card that it is about or the kind that means a follow-up.
 */
export function findLogAddress(forms: FormDefinition[], { id, code, form }: FollowUp): string {
  const followUpForm = findFollowUpForm(forms, form);
  const contact = findMainForm(forms);
  const visit = contact && !code ? findChoice(contact, KIND, FOLLOW_UP_VISIT) : undefined;
  const about = encodeURIComponent(`${code}|${visit?.name ?? ""}`);
  return `#/start/${(followUpForm ?? contact)?.id ?? ""}/${about}/${encodeURIComponent(id)}`;
}

/** What tells apart what is due without a card: what the conflict was about, and where. */
export function describeFollowed(forms: FormDefinition[], followUp: FollowUp): string {
  const form = forms.find(({ id }) => id === followUp.form);
  if (!form) return "";
  const name = (role: string, answer: string | undefined): string => {
    const choice = listChoicesOf(form, role).find((each) => each.name === answer);
    const text = choice && inLanguage(choice.label, currentLanguage());
    return typeof text === "string" ? text : "";
  };
  return [name(KIND, followUp.kind), name(AREA, followUp.area)].filter(Boolean).join(" · ");
}

export function FollowUps() {
  const { book } = useApp();
  const { due, next } = splitByDay(book.due, getLocalDay());
  if (due.length === 0 && !next) return null;
  return (
    <section class="card" aria-labelledby="due">
      <h2 id="due">{t("Due")}</h2>
      {due.map((followUp) => (
        <FollowUpItem key={followUp.id} followUp={followUp} />
      ))}
      {due.length === 0 && (
        <p class="soft">{t("Nothing is due today. Next: {day}.", { day: formatDay(next!.on) })}</p>
      )}
    </section>
  );
}

function FollowUpItem({ followUp }: { followUp: FollowUp }) {
  const { vault, forms, book, refresh, exchange } = useApp();
  const { id, code, form, from, on } = followUp;
  const label = code
    ? book.people.find((person) => person.code === code)?.label
    : describeFollowed(forms, followUp);
  const name = code ? formatCardCode(code) : titleOf(forms, form);
  const late = countDays(on, getLocalDay());
  const setAside = async (): Promise<void> => {
    await finishNote(vault, "settle", { due: id }, (current) => ({
      ...current,
      due: removeCompleted(current.due, id),
      settled: [...current.settled, id],
    }));
    await refresh();
    void exchange();
  };
  return (
    <div class="item row">
      <a href={findLogAddress(forms, followUp)}>
        <span class={code ? "code" : undefined}>{name}</span>
        {label && ` · ${label}`}
        <span class="soft"> {t("day {n}", { n: countDays(from, on) })}</span>
      </a>
      <span class={late > 0 ? "tag wait" : "tag"}>
        {late > 0 ? nt("{n} day past due", "{n} days past due", late) : t("today")}
      </span>
      <button
        type="button"
        class="btn quiet"
        aria-label={t("Not needed: {name}", { name: label ? `${name} · ${label}` : name })}
        onClick={() => void setAside()}
      >
        {t("Not needed")}
      </button>
    </div>
  );
}
