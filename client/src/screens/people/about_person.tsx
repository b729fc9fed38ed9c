/** What this phone knows of a person: consent, what is due, last contacts, open referrals. */

import type { ComponentChildren } from "preact";
import { ENCOUNTER, findChoiceLabel, findFormWithRole, KIND, TIER } from "../../engine/roles";
import { currentLanguage, nt, t } from "../../i18n";
import {
  type CardContact,
  findStanding,
  type FollowUp,
  listContacts,
  type Person,
} from "../../storage/caseload";
import { countDays, formatDay, formatMonth, getLocalDay } from "../day";
import { Help } from "../help/help";
import { titleOf } from "../parts";
import { useApp } from "../state";
import { CorrectButton } from "../to_correct/to_correct";
import { findLogAddress } from "../today/follow_ups";

export function AboutPerson({ person }: { person: Person }) {
  const { book } = useApp();
  const { code } = person;
  const due = book.due.filter((followUp) => followUp.code === code);
  return (
    <dl class="card">
      <Fact name={t("Next contact")}>
        {due.length === 0 && <p>{t("Nothing is due.")}</p>}
        {due.slice(0, 3).map((followUp) => (
          <Due key={followUp.id} followUp={followUp} />
        ))}
      </Fact>
      <Fact name={t("Consent")}>
        <Consent code={code} />
      </Fact>
      <Fact name={t("Last contacts")}>
        <Contacts person={person} />
      </Fact>
      <OpenReferrals code={code} />
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt class="soft">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Due({ followUp }: { followUp: FollowUp }) {
  const { forms } = useApp();
  const late = countDays(followUp.on, getLocalDay());
  return (
    <p>
      <a href={findLogAddress(forms, followUp)}>{formatDay(followUp.on)}</a>{" "}
      {late > 0 && (
        <span class="tag wait">{nt("{n} day past due", "{n} days past due", late)}</span>
      )}
    </p>
  );
}

function Consent({ code }: { code: string }) {
  const { forms, book } = useApp();
  const consent = findStanding(book, code);
  if (!consent) {
    const isWaiting = Boolean(book.unheard[code]);
    return (
      <p>
        {isWaiting
          ? t("They were asked here. The centre has not answered yet.")
          : t("This phone does not know it. Ask them.")}
      </p>
    );
  }
  const form = findFormWithRole(forms, ENCOUNTER);
  // The words of the choice are of one conversation; the office may have noted a no that stands.
  const words =
    consent.tier < 1
      ? t("They allow nothing until they say yes.")
      : findChoiceLabel(form, TIER, String(consent.tier), currentLanguage());
  const since = t("since {month}", { month: formatMonth(consent.since) });
  const isAskedAgain = consent.doubt || consent.tier < 1;
  return (
    <>
      <Help about="consent" name={t("Consent")}>
        <p>
          {consent.tier} · {since}
        </p>
        <p class="soft">{words}</p>
      </Help>
      {isAskedAgain && (
        <p class="state wait">
          {consent.doubt
            ? t("Two of their answers about consent differ. Ask them again.")
            : t("They said no before. Ask them again.")}
        </p>
      )}
    </>
  );
}

function Contacts({ person: { code, seenOn } }: { person: Person }) {
  const { book } = useApp();
  const contacts = listContacts(book, code);
  const isNewer = seenOn > (contacts[0]?.on ?? "") && !book.made.includes(code);
  if (contacts.length === 0 && !isNewer) return <p>{t("None yet.")}</p>;
  return (
    <>
      {isNewer && (
        <p>
          {formatDay(seenOn, "short")} <span class="soft">{t("from this phone")}</span>
        </p>
      )}
      {contacts.map((contact, at) => (
        <Contact key={at} contact={contact} />
      ))}
    </>
  );
}

function Contact({ contact: { on, form, kind, own } }: { contact: CardContact }) {
  const { forms } = useApp();
  const definition = forms.find(({ id }) => id === form);
  const what = kind
    ? findChoiceLabel(definition, KIND, kind, currentLanguage())
    : titleOf(forms, form);
  return (
    <p>
      {formatDay(on, "short")} · {what}{" "}
      <span class="soft">{own ? t("by you") : t("by a colleague")}</span>
    </p>
  );
}

function OpenReferrals({ code }: { code: string }) {
  const { forms, book } = useApp();
  const referrals = Object.entries(book.referrals).filter(([, each]) => each.code === code);
  if (referrals.length === 0) return null;
  return (
    <Fact name={t("Open referrals")}>
      {referrals.map(([root, referral]) => {
        const form = forms.find(({ id }) => id === referral.form);
        const labelOf = (role: string, name: string): string =>
          findChoiceLabel(form, role, name, currentLanguage());
        return (
          <div class="row" key={root}>
            <p>
              {labelOf(KIND, referral.kind)}{" "}
              <span class="soft">
                {labelOf("status", referral.status)} · {formatDay(referral.day, "short")}
              </span>
            </p>
            <CorrectButton
              root={root}
              record={referral}
              label={t("Update")}
              spoken={t("Update: {name}", { name: labelOf(KIND, referral.kind) })}
              look="btn quiet"
              role="status"
            />
          </div>
        );
      })}
    </Fact>
  );
}
