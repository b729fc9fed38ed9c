/** The cards of one's own caseload, and a new card made without signal. */

import { generate } from "lean-qr/nano";
import { useMemo, useState } from "preact/hooks";
import { newCode, plainCode, shownCode } from "../engine/cards";
import { t } from "../i18n";
import { keepBook, type Person } from "../storage/book";
import { random } from "../storage/bytes";
import { Tabs, Top } from "./parts";
import { today } from "./today";
import { go, useApp } from "./state";

export function People() {
  const { vault, book, refresh } = useApp();
  const make = async (): Promise<void> => {
    const person: Person = { code: newCode(random(8)), label: "", seenOn: today(), tier: "" };
    await keepBook(vault, { ...book, people: [person, ...book.people] });
    await refresh();
    go(`/card/${person.code}`);
  };
  return (
    <>
      <Top title={t("My cards")} />
      <main class="screen" id="main">
        <p class="soft">
          {t("Only cards that you made or logged. Labels stay on this phone, sealed; nobody else sees them.")}
        </p>
        {book.people.length === 0 && (
          <p class="empty">{t("No card yet. Make one when somebody says yes to a code.")}</p>
        )}
        {book.people.map((person) => (
          <a class="btn wide" key={person.code} href={`#/card/${encodeURIComponent(person.code)}`}>
            <span class="code">{shownCode(person.code)}</span> {person.label}
          </a>
        ))}
      </main>
      <footer class="foot">
        <button type="button" class="btn main wide" onClick={() => void make()}>
          {t("Make a new card")}
        </button>
      </footer>
      <Tabs here="new" />
    </>
  );
}

export function Card({ code: given }: { code: string }) {
  const { vault, book, refresh } = useApp();
  const code = plainCode(given);
  const person = book.people.find((one) => one.code === code);
  const [isKept, setKept] = useState(false);
  if (!code || !person) {
    return (
      <>
        <Top title={t("This card is not on your list")} />
        <main class="screen" id="main">
          <p>{t("Scan it or type it in when you log an encounter.")}</p>
        </main>
        <Tabs here="new" />
      </>
    );
  }
  const others = book.people.filter((one) => one.code !== code);
  const label = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = String(new FormData(event.target as HTMLFormElement).get("label") ?? "").slice(0, 60);
    await keepBook(vault, {
      ...book,
      people: book.people.map((one) => (one.code === code ? { ...one, label: text } : one)),
    });
    await refresh();
    setKept(true);
  };
  const drop = async (): Promise<void> => {
    if (!confirm(t("Take this card off your list? What was logged stays with the centre."))) return;
    await keepBook(vault, { people: others, due: book.due.filter((one) => one.code !== code) });
    await refresh();
    go("/people");
  };
  return (
    <>
      <Top title={t("Card")} />
      <main class="screen" id="main">
        <section class="card paper">
          <Qr text={code} />
          <p class="big code">{shownCode(code)}</p>
          <p>{t("Copy the code onto their card, or let them take a picture. It has no meaning inside.")}</p>
        </section>
        <form class="card" onSubmit={(event) => void label(event)}>
          <label for="label">{t("Your own label")}</label>
          <p class="hint" id="label-hint">
            {t("Something only you understand, like “red cap, Tuesday gym”. No name. It never leaves this phone.")}
          </p>
          <input
            id="label"
            name="label"
            maxLength={60}
            autocomplete="off"
            aria-describedby="label-hint"
            value={person.label}
          />
          <button class="btn wide">{t("Keep the label")}</button>
          {isKept && <p role="status">{t("Kept.")}</p>}
        </form>
        <button type="button" class="link" onClick={() => void drop()}>
          {t("Take it off my list")}
        </button>
      </main>
      <footer class="foot">
        <a class="btn main wide" href={`#/start/encounter/${encodeURIComponent(`${code}|`)}`}>
          {t("Log an encounter")}
        </a>
      </footer>
      <Tabs here="new" />
    </>
  );
}

/** A QR code as one path, drawn on this phone. */
function Qr({ text }: { text: string }) {
  const { size, path } = useMemo(() => {
    const made = generate(text);
    let drawn = "";
    for (let y = 0; y < made.size; y++)
      for (let x = 0; x < made.size; x++) if (made.get(x, y)) drawn += `M${x} ${y}h1v1h-1z`;
    return { size: made.size, path: drawn };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`-3 -3 ${size + 6} ${size + 6}`}
      role="img"
      aria-label={t("The code as a picture to scan")}
    >
      <rect x="-3" y="-3" width={size + 6} height={size + 6} fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}
