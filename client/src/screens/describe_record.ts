/** What tells records of one form apart: what kind, whose card, where. */

import { formatCardCode, parseCardCode } from "../engine/cards";
import { AREA, findChoiceLabel, KIND, readRole } from "../engine/roles";
import type { Json } from "../engine/types";
import { currentLanguage } from "../i18n";
import type { PhoneContent } from "./state";

interface Answered {
  form: string;
  kind?: string;
  area?: string;
  code?: string;
}

type Content = Pick<PhoneContent, "forms" | "book">;

/** Kind, card with its private label, and place; what is not known is left out. */
export function describeRecord({ forms, book }: Content, record: Answered): string {
  const { form, kind = "", area = "", code = "" } = record;
  const definition = forms.find(({ id }) => id === form);
  const labelOf = (role: string, name: string): string =>
    name && findChoiceLabel(definition, role, name, currentLanguage());
  const label = book.people.find((person) => person.code === code)?.label;
  const card = code && [formatCardCode(code), label].filter(Boolean).join(" ");
  return [labelOf(KIND, kind), card, labelOf(AREA, area)].filter(Boolean).join(" · ");
}

/** The same of answers that the phone can read. */
export function describeAnswers(
  content: Content,
  { form, answers }: { form: string; answers: Json },
): string {
  const definition = content.forms.find(({ id }) => id === form);
  if (!definition) return "";
  const read = (role: string): string => readRole(definition, answers, role);
  const code = parseCardCode(read("person"));
  return describeRecord(content, { form, kind: read(KIND), area: read(AREA), code });
}
