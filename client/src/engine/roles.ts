/**
 * Roles that phones read: how a form says which of its questions and choices have a meaning for the
 * app. The list of all is forms/roles.py; no other module names a question or a form.
 */

import { type Choice, type Element, type FormDefinition, inLanguage } from "./definition";
import type { Json } from "./types";

/** What a form is for. */
export const ENCOUNTER = "encounter";
export const MEDIATION = "mediation";
export const MEDIATION_FOLLOW_UP = "mediation_follow_up";
export const INCIDENT = "incident";
export const INCIDENT_FOLLOW_UP = "incident_follow_up";
export const REFERRAL = "referral";
export const EVENT = "event";
export const PARTICIPANT = "participant";
export const SHIFT = "shift";

/** What a question means, and what the choices of such a question mean. */
export const AREA = "area";
export const KIND = "kind";
export const FOLLOWS = "follows";
export const INTAKE_DAY = "intake_day";
export const FOLLOWED_DAY = "followed_day";
export const MINUTES = "minutes";
export const REFERRAL_MADE = "referral_made";
export const YES = "yes";
export const TIER = "tier";
export const CONSENT_ASKED = "consent_asked";
export const CONSENT_STANDING = "consent_standing"; // what the phone fills in
export const STANDING = "standing";
export const NOTHING_TODAY = "nothing_today";
export const NO_MORE = "no_more";
export const FOLLOW_UP_VISIT = "follow_up_visit";
export const CHECK_IN = "check_in";
export const STANDS_ALONE = "stands_alone";
export const REVIEW = "review";
export const ENDS_WORK = "ends_work";
export const ENDS_FOLLOW_UPS = "ends_follow_ups";
export const STATUS = "status";
export const ENDS_REFERRAL = "ends_referral";
export const INCIDENT_STATUS = "incident_status";
export const ENDS_INCIDENT = "ends_incident";
export const SHIFT_START = "shift_start";
export const SHIFT_END = "shift_end";

/** Which form follows up the records of which, by their roles. */
const FOLLOW_UP_FORM: Record<string, string> = {
  [MEDIATION]: MEDIATION_FOLLOW_UP,
  [INCIDENT]: INCIDENT_FOLLOW_UP,
};

const ROLE_COLUMN = "app_role";
const MINUTES_COLUMN = "app_minutes";

/** The form with a role; undefined where the centre has none. */
export function findFormWithRole<Form extends { role?: string | undefined }>(
  forms: Form[],
  role: string,
): Form | undefined {
  return forms.find((form) => form.role === role);
}

/** The form that follows up the records of a form; undefined where the centre has none. */
export function findFollowUpForm<Form extends { id: string; role?: string | undefined }>(
  forms: Form[],
  followed: string,
): Form | undefined {
  const role = FOLLOW_UP_FORM[forms.find((form) => form.id === followed)?.role ?? ""];
  return role ? findFormWithRole(forms, role) : undefined;
}

/** The question with a role. */
export function findQuestion(definition: FormDefinition, role: string): Element | undefined {
  const path = definition.summary[role];
  return path ? definition.elements.find((element) => element.path === path) : undefined;
}

/** The answer to the question that plays a role in a form; "" when there is none. */
export function readRole(definition: FormDefinition, answers: Json, role: string): string {
  return readAt(answers, definition.summary[role] ?? "");
}

/** The answer at a path that leads through no repeat; "" where there is none. */
export function readAt(answers: Json, path: string): string {
  let value: Json | Json[] | string | undefined = answers;
  for (const name of path.split("/").slice(2))
    value = typeof value === "object" && !Array.isArray(value) ? value[name] : undefined;
  return typeof value === "string" ? value : "";
}

/** The answers with a text at the path of a question that is in no repeat: /data/people/code. */
export function setAnswer(answers: Json, path: string, text: string): Json {
  const [name, ...rest] = path.split("/").slice(2);
  if (!name) return answers;
  if (rest.length === 0) return { ...answers, [name]: text };
  const inner = (answers[name] ?? {}) as Json;
  return { ...answers, [name]: setAnswer(inner, `//${rest.join("/")}`, text) };
}

/** Whether answers are of the shift that began at a moment: to the minute, as fields show it. */
export function isOfShift(definition: FormDefinition, answers: Json, shift: string): boolean {
  const start = readRole(definition, answers, SHIFT_START);
  return start !== "" && start.slice(0, 16) === shift.slice(0, 16);
}

/** The choices that the question with a role offers. */
export function listChoicesOf(definition: FormDefinition, role: string): Choice[] {
  return definition.choices[findQuestion(definition, role)?.choices ?? ""] ?? [];
}

/** The first choice with a role of its own that the question with a role offers. */
export function findChoice(
  definition: FormDefinition,
  role: string,
  choiceRole: string,
): Choice | undefined {
  return listChoicesOf(definition, role).find((choice) => hasRole(choice, choiceRole));
}

/** The words of a choice of the question with a role in a form; its name where it has none. */
export function findChoiceLabel(
  form: FormDefinition | undefined,
  role: string,
  name: string,
  language: string,
): string {
  const choices = form ? listChoicesOf(form, role) : [];
  const choice = choices.find((each) => each.name === name);
  const label = choice && inLanguage(choice.label, language);
  return typeof label === "string" ? label : name;
}

/** Whether the answer to the question with a role is a choice with a role of its own. */
export function isChosen(
  definition: FormDefinition,
  answers: Json,
  role: string,
  choiceRole: string,
): boolean {
  const chosen = readRole(definition, answers, role).split(" ");
  return listChoicesOf(definition, role).some(
    (choice) => chosen.includes(choice.name) && hasRole(choice, choiceRole),
  );
}

/** Whether no other choice goes with one, as with “none”. */
export const standsAlone = (choice: { data?: Record<string, string> }): boolean =>
  hasRole(choice, STANDS_ALONE);

/** Whether nobody was asked for consent because the phone knew what stands. */
export function goesOnAsBefore(definition: FormDefinition, answers: Json): boolean {
  return isChosen(definition, answers, CONSENT_ASKED, STANDING);
}

const hasRole = ({ data }: Pick<Choice, "data">, role: string): boolean =>
  (data?.[ROLE_COLUMN] ?? "").split(" ").includes(role);

/** How many minutes each answer about time spent stands for, by its name. */
export function readMinutes(forms: FormDefinition[]): Map<string, number> {
  const minutes = new Map<string, number>();
  for (const form of forms)
    for (const { name, data } of listChoicesOf(form, MINUTES))
      minutes.set(name, Number(data?.[MINUTES_COLUMN] ?? 0));
  return minutes;
}

/** The list of neighbourhoods, to which outlines belong: of encounters before other forms. */
export function findAreaList(forms: FormDefinition[]): string {
  const asking = forms.filter((form) => listChoicesOf(form, AREA).length > 0);
  const form = findFormWithRole(asking, ENCOUNTER) ?? asking[0];
  return form ? (findQuestion(form, AREA)?.choices ?? "") : "";
}
