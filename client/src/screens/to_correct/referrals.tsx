/** Referrals of one's own that have not come to an end. */

import { formatCardCode } from "../../engine/cards";
import { type FormDefinition, inLanguage } from "../../engine/definition";
import { findFormWithRole, listChoicesOf, REFERRAL } from "../../engine/roles";
import { currentLanguage, t } from "../../i18n";
import { formatDay } from "../day";
import { useApp } from "../state";
import { CorrectButton } from "./to_correct";

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

export function Referrals() {
  const { forms, book } = useApp();
  const referrals = Object.entries(book.referrals);
  if (referrals.length === 0) return null;
  const form = findFormWithRole(forms, REFERRAL);
  const labelOf = (role: string, name: string): string =>
    findChoiceLabel(form, role, name, currentLanguage());
  return (
    <section class="card" aria-labelledby="referrals">
      <h2 id="referrals">{t("Open referrals")}</h2>
      {referrals.map(([root, referral]) => (
        <div class="item row" key={root}>
          <div>
            <b>{labelOf("kind", referral.kind)}</b>{" "}
            {referral.code && <span class="code">{formatCardCode(referral.code)}</span>}
            <br />
            <span class="soft">
              {labelOf("status", referral.status)} · {formatDay(referral.day)}
            </span>
          </div>
          <CorrectButton
            root={root}
            record={referral}
            label={t("Update")}
            spoken={t("Update: {name}", { name: labelOf("kind", referral.kind) })}
            look="btn quiet"
          />
        </div>
      ))}
    </section>
  );
}
