/** Log: what happened, and with whom? Both are answered by one tap where they can be. */

import { useState } from "preact/hooks";
import { formatCardCode } from "../../engine/cards";
import type { FormDefinition } from "../../engine/definition";
import {
  ENCOUNTER,
  EVENT,
  findChoiceLabel,
  findFormWithRole,
  findQuestion,
  FOLLOWS,
  INCIDENT,
  KIND,
  listChoicesOf,
  MEDIATION,
  PARTICIPANT,
  REFERRAL,
  SHIFT,
} from "../../engine/roles";
import { currentLanguage, nt, t } from "../../i18n";
import type { Caseload, Person } from "../../storage/caseload";
import { findCards } from "../../widgets/card/find_cards";
import { putLikelyFirst } from "../../widgets/select/choices";
import { getLocalDay } from "../day";
import { useOtherScreens } from "../others_piece";
import { NoForms, Tabs, titleOf, Top } from "../parts";
import { findCheckIn, makeStartAddress } from "../start_address";
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

const MOST_KINDS = 4;
const MOST_CARDS = 4; // that are seen without typing

/** Order forms as they are offered: those with words of their own first, then the rest. */
export function sortByUse<Form extends { id: string; role?: string | undefined }>(
  forms: Form[],
): Form[] {
  const order = Object.keys(WHAT_HAPPENED);
  const rank = ({ role = "" }: Form): number =>
    order.includes(role) ? order.indexOf(role) : order.length;
  return [...forms].sort((a, b) => rank(a) - rank(b));
}

/** Cards with something due first, the longest due before the others; then as they stand. */
export function putDueFirst(
  { people, due }: Pick<Caseload, "people" | "due">,
  today: string,
): Person[] {
  const days = new Map<string, string>();
  for (const { code, on } of due) if (code && on <= today && !days.has(code)) days.set(code, on);
  const rank = ({ code }: Person): string => days.get(code) ?? "later"; // letters follow digits
  return [...people].sort((a, b) => rank(a).localeCompare(rank(b), "en"));
}

/** Not a follow-up, which begins from what is due: there it is tied to its record. */
const isBegunHere = (form: FormDefinition): boolean => !findQuestion(form, FOLLOWS);

export function ChooseForm() {
  const { forms } = useApp();
  const contact = findFormWithRole(forms, ENCOUNTER);
  const others = sortByUse(forms.filter(isBegunHere)).filter((form) => form !== contact);
  return (
    <>
      <Top title={t("What happened?")} />
      <main class="screen" id="main">
        {contact && <Kinds contact={contact} />}
        {contact && <Cards contact={contact} />}
        {others.length > 0 && (
          <section class="field" aria-labelledby="others">
            <h2 id="others">{t("Something else")}</h2>
            {others.map(({ id, role = "" }) => (
              <a class="btn wide" key={id} href={`#/start/${id}`}>
                {WHAT_HAPPENED[role]?.() ?? titleOf(forms, id)}
              </a>
            ))}
          </section>
        )}
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

/** The kinds of contact, those that this worker logs most first. */
function Kinds({ contact }: { contact: FormDefinition }) {
  const parts = useOtherScreens();
  const { usual = {} } = useApp().vault.account;
  const [isOpen, setOpen] = useState(false);
  const path = findQuestion(contact, KIND)?.path ?? "";
  const kinds = putLikelyFirst(listChoicesOf(contact, KIND), usual[contact.id]?.[path] ?? {});
  const shown = isOpen ? kinds : kinds.slice(0, MOST_KINDS);
  if (kinds.length === 0) {
    return (
      <a class="btn wide" href={`#/start/${contact.id}`}>
        {WHAT_HAPPENED[ENCOUNTER]!()}
      </a>
    );
  }
  const name = WHAT_HAPPENED[ENCOUNTER]!();
  const heading = <h2 id="kinds">{name}</h2>;
  return (
    <section class="field" aria-labelledby="kinds">
      {parts ? (
        <parts.Help about="contact" name={name}>
          {heading}
        </parts.Help>
      ) : (
        heading
      )}
      <div class="kinds">
        {shown.map((kind) => (
          <a class="btn" key={kind.name} href={makeStartAddress(contact.id, { kind: kind.name })}>
            {findChoiceLabel(contact, KIND, kind.name, currentLanguage())}
          </a>
        ))}
      </div>
      {shown.length < kinds.length && (
        <button type="button" class="link more" onClick={() => setOpen(true)}>
          {nt("{n} more", "{n} more", kinds.length - shown.length)}
        </button>
      )}
    </section>
  );
}

/** One's own cards: a tap on one begins a contact with that person. */
function Cards({ contact }: { contact: FormDefinition }) {
  const { book } = useApp();
  const [typed, setTyped] = useState("");
  if (book.people.length === 0) return null;
  const kind = findCheckIn(contact);
  const fitting = findCards(putDueFirst(book, getLocalDay()), typed);
  return (
    <section class="field" aria-labelledby="whom">
      <h2 id="whom">{t("With whom?")}</h2>
      {book.people.length > MOST_CARDS && (
        <input
          type="search"
          autocomplete="off"
          aria-label={t("Find a card")}
          placeholder={t("A piece of the code, or of your name for it.")}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {fitting.slice(0, MOST_CARDS).map(({ code, label }) => (
        <a class="btn wide between" key={code} href={makeStartAddress(contact.id, { code, kind })}>
          <span>
            <span class="code">{formatCardCode(code)}</span> {label}
          </span>
        </a>
      ))}
      <p class="soft" role="status">
        {fitting.length === 0 && t("None of your cards fits.")}
      </p>
    </section>
  );
}
