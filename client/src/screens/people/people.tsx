/** The cards of one's own caseload, and a new card made without signal. */

import { formatCardCode, makeCardCode } from "../../engine/cards";
import { randomBytes } from "../../storage/bytes";
import { changeCaseload } from "../../storage/caseload";
import { t } from "../../i18n";
import { formatDay, getLocalDay } from "../day";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, Top } from "../parts";
import { go, useApp } from "../state";
import { addCard } from "./caseload_changes";

export function People() {
  const { vault, book, refresh } = useApp();
  const [makeCard, isBusy] = useOneAtATime(async () => {
    const code = makeCardCode(randomBytes(8));
    await changeCaseload(vault, (current) => addCard(current, code, "", getLocalDay()));
    await refresh();
    go(`/card/${code}`);
  });
  return (
    <>
      <Top title={t("My cards")} />
      <main class="screen" id="main">
        <p class="soft">
          {t(
            "The cards of your caseload. Your names for cards stay on this phone, encrypted; nobody else sees them.",
          )}
        </p>
        {book.people.length === 0 && (
          <p class="empty">{t("No card yet. Create one when somebody agrees to a code.")}</p>
        )}
        {book.people.map((person) => (
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
