/** Referrals of one's own that have not come to an end. */

import { formatCardCode } from "../../engine/cards";
import { findChoiceLabel, findFormWithRole, REFERRAL } from "../../engine/roles";
import { currentLanguage, t } from "../../i18n";
import { formatDay } from "../day";
import { Help } from "../help/help";
import { useApp } from "../state";
import { CorrectButton } from "./to_correct";

export function Referrals() {
  const { forms, book } = useApp();
  const referrals = Object.entries(book.referrals);
  if (referrals.length === 0) return null;
  const form = findFormWithRole(forms, REFERRAL);
  const labelOf = (role: string, name: string): string =>
    findChoiceLabel(form, role, name, currentLanguage());
  return (
    <section class="card" aria-labelledby="referrals">
      <Help about="referrals" name={t("Open referrals")}>
        <h2 id="referrals">{t("Open referrals")}</h2>
      </Help>
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
            role="status"
          />
        </div>
      ))}
    </section>
  );
}
