/** One card: its code to show and copy, the worker's own label, and what can be logged about it. */

import { useState } from "preact/hooks";
import { formatCardCode, parseCardCode } from "../../engine/cards";
import { ENCOUNTER, findFormWithRole, PARTICIPANT } from "../../engine/roles";
import { changeCaseload, type Person } from "../../storage/caseload";
import { t } from "../../i18n";
import { loadLater } from "../../widgets/load_later";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, titleOf, Top } from "../parts";
import { go, useApp } from "../state";
import { labelCard, removeCard } from "./caseload_changes";
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
      <Top title={t("Card")} />
      <main class="screen" id="main">
        <section class="card paper">
          <QrCode text={code} label={t("The code as a QR code")} />
          <p class="big code">{formatCardCode(code)}</p>
          <p>
            {t(
              "Copy the code onto their card, or let them take a picture. The code has no hidden meaning.",
            )}
          </p>
        </section>
        <Label person={person} />
        <HandOver code={code} />
        <DropCard code={code} />
      </main>
      <LogAboutCard code={code} />
      <Tabs here="new" />
    </>
  );
}

function DropCard({ code }: { code: string }) {
  const { vault, refresh } = useApp();
  const [dropCard, isBusy] = useOneAtATime(async () => {
    if (!confirm(t("Remove this card from your list? What was logged stays with the centre.")))
      return;
    await changeCaseload(vault, (current) => removeCard(current, code));
    await refresh();
    go("/people");
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

/** How the worker knows whose card it is; it never leaves the phone. */
function Label({ person }: { person: Person }) {
  const { vault, refresh } = useApp();
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
  };
  return (
    <form class="card" onSubmit={(event) => void saveLabel(event)}>
      <label for="label">{t("My name for this card")}</label>
      <p class="hint" id="label-hint">
        {t(
          "Something only you understand, like “red cap, Tuesday gym”. No name. It never leaves this phone.",
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

function LogAboutCard({ code }: { code: string }) {
  const { forms } = useApp();
  const about = encodeURIComponent(`${code}|`);
  const encounter = findFormWithRole(forms, ENCOUNTER);
  const participant = findFormWithRole(forms, PARTICIPANT);
  return (
    <footer class="foot">
      {encounter && (
        <a class="btn main wide" href={`#/start/${encounter.id}/${about}`}>
          {t("Log an encounter")}
        </a>
      )}
      {participant && (
        <a class="btn wide" href={`#/start/${participant.id}/${about}`}>
          {titleOf(forms, participant.id)}
        </a>
      )}
    </footer>
  );
}
