/** The cards of one's own caseload, and a new card made without signal. */

import { useState } from "preact/hooks";
import { formatCardCode, makeCardCode } from "../../engine/cards";
import { randomBytes } from "../../storage/bytes";
import { changeCaseload } from "../../storage/caseload";
import { nt, t } from "../../i18n";
import { findCards } from "../../widgets/card/find_cards";
import { formatDay, getLocalDay } from "../day";
import { Help } from "../help/help";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, Top } from "../parts";
import { go, noteScreen, useApp } from "../state";
import { addCard } from "./caseload_changes";
import { LabelCopy } from "./label_copy";

const MOST_SHOWN = 12; // drawn at once: who looks for somebody types
const MOST_UNSEARCHED = 6; // cards that are looked over faster than a word is typed

export function People() {
  const { vault, book, refresh } = useApp();
  const [makeCard, isBusy] = useOneAtATime(async () => {
    const isHere = noteScreen();
    const code = makeCardCode(randomBytes(8));
    await changeCaseload(vault, (current) => addCard(current, code, "", getLocalDay()));
    await refresh();
    if (isHere()) go(`/card/${code}`);
  });
  const [typed, setTyped] = useState("");
  const [isOpen, setOpen] = useState(false);
  const fitting = findCards(book.people, typed);
  const shown = isOpen ? fitting : fitting.slice(0, MOST_SHOWN);
  return (
    <>
      <Top title={t("My cards")} />
      <main class="screen" id="main">
        <Help about="cards" name={t("My cards")}>
          <p class="soft">
            {t("The cards of your caseload. Only you can read your names for cards.")}
          </p>
        </Help>
        {book.people.length === 0 && (
          <p class="empty">{t("No card yet. Create one when somebody agrees to a code.")}</p>
        )}
        {book.people.length > MOST_UNSEARCHED && (
          <div class="field">
            <label for="find">{t("Find a card")}</label>
            <p class="hint" id="find-hint">
              {t("A piece of the code, or of your name for it.")}
            </p>
            <input
              id="find"
              type="search"
              autocomplete="off"
              aria-describedby="find-hint"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </div>
        )}
        {book.people.length > 0 && fitting.length === 0 && (
          <p class="empty" role="status">
            {t("None of your cards fits.")}
          </p>
        )}
        {shown.map((person) => (
          <a
            class="btn wide between"
            key={person.code}
            href={`#/card/${encodeURIComponent(person.code)}`}
          >
            <span>
              <span class="code">{formatCardCode(person.code)}</span> {person.label}
            </span>
            {person.seenOn && <span class="soft">{formatDay(person.seenOn, "short")}</span>}
          </a>
        ))}
        {shown.length < fitting.length && (
          <button type="button" class="link more" onClick={() => setOpen(true)}>
            {nt("{n} more", "{n} more", fitting.length - shown.length)}
          </button>
        )}
        <LabelCopy />
      </main>
      <footer class="foot">
        <button type="button" class="btn main wide" disabled={isBusy} onClick={() => makeCard()}>
          {t("Create a new card")}
        </button>
      </footer>
      <Tabs here="new" />
    </>
  );
}
