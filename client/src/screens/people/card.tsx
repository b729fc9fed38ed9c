/** A person's page, by their card: what is known of them here, and what can be done next. */

import { useState } from "preact/hooks";
import { formatCardCode, parseCardCode } from "../../engine/cards";
import { ENCOUNTER, findFormWithRole, PARTICIPANT, REFERRAL } from "../../engine/roles";
import { changeCaseload, type Person } from "../../storage/caseload";
import { t } from "../../i18n";
import { loadLater } from "../../widgets/load_later";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, titleOf, Top } from "../parts";
import { findCheckIn, makeStartAddress } from "../start_address";
import { go, noteScreen, useApp } from "../state";
import { labelCard, removeCard } from "./caseload_changes";
import { AboutPerson } from "./about_person";
import { HandOver } from "./hand_over";
import { QrCode } from "./qr_code";

const IdentifierWarning = loadLater((widgets) => widgets.IdentifierWarning, true);

export function Card({ code: address }: { code: string }) {
  const { book } = useApp();
  const code = parseCardCode(address);
  const person = book.people.find((each) => each.code === code);
  if (!code || !person) return <MissingCard />;
  return (
    <>
      <Top title={person.label || t("Card")} name={t("Card")} />
      <main class="screen" id="main">
        <p class="big code">{formatCardCode(code)}</p>
        <AboutPerson person={person} />
        <LogMore code={code} />
        <HandOver code={code} />
        <details open={book.made.includes(code)}>
          <summary>{t("Show the QR code")}</summary>
          <section class="card paper">
            <QrCode text={code} label={t("The code as a QR code")} />
            <p>
              {t(
                "Copy the code onto their card, or let them take a picture. The code has no hidden meaning.",
              )}
            </p>
          </section>
        </details>
        <Label person={person} />
        {/* One that the centre has told this phone would come back with its next word. */}
        {!book.told[`card/${code}`] && <DropCard code={code} />}
      </main>
      <LogContact code={code} />
      <Tabs here="new" />
    </>
  );
}

function DropCard({ code }: { code: string }) {
  const { vault, refresh } = useApp();
  const [dropCard, isBusy] = useOneAtATime(async () => {
    if (!confirm(t("Remove this card from your list? What was logged stays with the centre.")))
      return;
    const isHere = noteScreen();
    await changeCaseload(vault, (current) => removeCard(current, code));
    await refresh();
    if (isHere()) go("/people");
  });
  return (
    <button type="button" class="link" disabled={isBusy} onClick={() => dropCard()}>
      {t("Remove from my list")}
    </button>
  );
}

function MissingCard() {
  return (
    <>
      <Top title={t("This card is not on your list")} />
      <main class="screen" id="main">
        <p>{t("Scan the code or type it in when you log an encounter.")}</p>
      </main>
      <Tabs here="new" />
    </>
  );
}

/** How the worker knows whose card it is; nobody else can read it. */
function Label({ person }: { person: Person }) {
  const { vault, refresh, exchange } = useApp();
  const [isSaved, setSaved] = useState(false);
  const [typed, setTyped] = useState(person.label);
  const saveLabel = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const typed = String(data.get("label") ?? "");
    const text = [...typed].slice(0, 60).join(""); // whole characters: half an emoji is none
    await changeCaseload(vault, (current) => labelCard(current, person.code, text));
    await refresh();
    setSaved(true);
    void exchange(); // sealed, for the worker's next phone
  };
  return (
    <form class="card" onSubmit={(event) => void saveLabel(event)}>
      <label for="label">{t("My name for this card")}</label>
      <p class="hint" id="label-hint">
        {t(
          "Something only you understand, like “red cap, Tuesday gym”. No name. Nobody else can read it.",
        )}
      </p>
      <input
        id="label"
        name="label"
        maxLength={60}
        autocomplete="off"
        aria-describedby="label-hint"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <IdentifierWarning text={typed} />
      <button class="btn wide">{t("Save the name")}</button>
      {isSaved && <p role="status">{t("Saved.")}</p>}
    </form>
  );
}

/** A contact with the person: as a check-in, where the form says which kind that is. */
function LogContact({ code }: { code: string }) {
  const { forms } = useApp();
  const encounter = findFormWithRole(forms, ENCOUNTER);
  if (!encounter) return null;
  const kind = findCheckIn(encounter);
  return (
    <footer class="foot">
      <a class="btn main wide" href={makeStartAddress(encounter.id, { code, kind })}>
        {t("Log an encounter")}
      </a>
    </footer>
  );
}

/** The other forms that are about a person. */
function LogMore({ code }: { code: string }) {
  const { forms } = useApp();
  const others = [PARTICIPANT, REFERRAL].map((role) => findFormWithRole(forms, role));
  return (
    <div class="quick">
      {others.map(
        (form) =>
          form && (
            <a class="btn" key={form.id} href={makeStartAddress(form.id, { code })}>
              {titleOf(forms, form.id)}
            </a>
          ),
      )}
    </div>
  );
}
