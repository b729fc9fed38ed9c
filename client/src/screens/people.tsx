/** The cards of one's own caseload, and a new card made without signal. */

import { generate } from "lean-qr/nano";
import { useMemo, useState } from "preact/hooks";
import { newCode, plainCode, shownCode } from "../engine/cards";
import { t } from "../i18n";
import { changeBook, type Book } from "../storage/book";
import { random } from "../storage/bytes";
import { finishNote } from "../storage/records";
import { dayOf, Tabs, titleOf, Top } from "./parts";
import { today } from "./today";
import { go, useApp } from "./state";

/** The book with a card that this phone has just made. */
export function withCard(book: Book, code: string, label: string): Book {
  const person = { code, label, seenOn: today(), tier: "" };
  return { ...book, people: [person, ...book.people], made: [...book.made, code] };
}

export function People() {
  const { vault, book, refresh } = useApp();
  const make = async (): Promise<void> => {
    const code = newCode(random(8));
    await changeBook(vault, (held) => withCard(held, code, ""));
    await refresh();
    go(`/card/${code}`);
  };
  return (
    <>
      <Top title={t("My cards")} />
      <main class="screen" id="main">
        <p class="soft">{t("The cards of your caseload. Labels stay on this phone, sealed; nobody else sees them.")}</p>
        {book.people.length === 0 && (
          <p class="empty">{t("No card yet. Make one when somebody says yes to a code.")}</p>
        )}
        {book.people.map((person) => (
          <a class="btn wide between" key={person.code} href={`#/card/${encodeURIComponent(person.code)}`}>
            <span>
              <span class="code">{shownCode(person.code)}</span> {person.label}
            </span>
            {person.seenOn && <span class="soft">{dayOf(person.seenOn, "short")}</span>}
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

const withoutCard = (book: Book, code: string): Book => ({
  ...book,
  people: book.people.filter((one) => one.code !== code),
  due: book.due.filter((one) => one.code !== code),
});

export function Card({ code: given }: { code: string }) {
  const { vault, forms, book, refresh } = useApp();
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
  const label = async (event: Event): Promise<void> => {
    event.preventDefault();
    const typed = String(new FormData(event.target as HTMLFormElement).get("label") ?? "");
    const text = [...typed].slice(0, 60).join(""); // whole characters: half an emoji is none
    await changeBook(vault, (held) => ({
      ...held,
      people: held.people.map((one) => (one.code === code ? { ...one, label: text } : one)),
    }));
    await refresh();
    setKept(true);
  };
  const drop = async (): Promise<void> => {
    if (!confirm(t("Take this card off your list? What was logged stays with the centre."))) return;
    await changeBook(vault, (held) => withoutCard(held, code));
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
        <HandOver code={code} />
        <button type="button" class="link" onClick={() => void drop()}>
          {t("Take it off my list")}
        </button>
      </main>
      <footer class="foot">
        <a class="btn main wide" href={`#/start/encounter/${encodeURIComponent(`${code}|`)}`}>
          {t("Log an encounter")}
        </a>
        {forms.some((form) => form.id === "participant") && (
          <a class="btn wide" href={`#/start/participant/${encodeURIComponent(`${code}|`)}`}>
            {titleOf(forms, "participant")}
          </a>
        )}
      </footer>
      <Tabs here="new" />
    </>
  );
}

/** Give a card, with what is due for it, to a colleague; it works without signal, and arrives when there is some. */
function HandOver({ code }: { code: string }) {
  const { vault, refresh, exchange } = useApp();
  const { team } = vault.account;
  if (team.length === 0) return null;
  const give = async (event: Event): Promise<void> => {
    event.preventDefault();
    const to = Number(new FormData(event.target as HTMLFormElement).get("to"));
    const name = team.find((one) => one.user === to)?.label;
    if (!name || !confirm(t("Hand this card over to {name}? It leaves your list.", { name }))) return;
    await finishNote(vault, "handover", { code, to }, (held) => withoutCard(held, code));
    await refresh();
    go("/people");
    void exchange();
  };
  return (
    <details>
      <summary>{t("Hand it over to a colleague")}</summary>
      <form class="stack" onSubmit={(event) => void give(event)}>
        <label for="to">{t("To whom?")}</label>
        <p class="hint" id="to-hint">
          {t("They see the code and what is due. Your label stays with you.")}
        </p>
        <select id="to" name="to" required aria-describedby="to-hint">
          <option value="">{t("Choose …")}</option>
          {team.map(({ user, label }) => (
            <option key={user} value={user}>
              {label}
            </option>
          ))}
        </select>
        <button class="btn wide">{t("Hand it over")}</button>
      </form>
    </details>
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
