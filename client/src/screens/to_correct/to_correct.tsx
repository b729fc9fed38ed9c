/** What the centre asks of the worker: records to correct, cards that clash; and referrals that are still open. */

import { useState } from "preact/hooks";
import { newCode, shownCode } from "../../engine/cards";
import { inLanguage } from "../../engine/definition";
import { currentLanguage, t } from "../../i18n";
import type { EditableRecord } from "../../storage/caseload";
import { random } from "../../storage/bytes";
import { draftCorrection } from "../../storage/drafts";
import { finishNote } from "../../storage/outbox";
import { fetchRecord, Refused } from "../../sync/server";
import { dayOf, Tabs, titleOf, Top } from "../parts";
import { withCard } from "../people/people";
import { type AppState, go, useApp } from "../state";

async function open(app: AppState, root: string, held: EditableRecord): Promise<void> {
  const draft =
    app.drafts.find((one) => one.root === root) ?? (await draftCorrection(app.vault, root, held));
  await app.refresh();
  go(`/fill/${draft.id}`);
}

/** What waits for the worker because the centre said so. */
export function Needs() {
  const app = useApp();
  const { forms, book } = app;
  const todo = Object.entries(book.todo);
  if (todo.length + book.clashes.length === 0) return null;
  return (
    <section class="card" aria-labelledby="needs">
      <h2 id="needs">{t("Needs you")}</h2>
      {todo.map(([root, one]) => (
        <div class="item" key={root}>
          <b>
            {titleOf(forms, one.form)} · {dayOf(one.day)}
          </b>
          <p class="soft">
            {one.state === "returned"
              ? t("Your centre sent it back: “{comment}”", { comment: one.comment ?? "" })
              : t(
                  "The centre has it, but could not take it in as it is. Look it through and finish it again.",
                )}
          </p>
          <button type="button" class="btn wide" onClick={() => void open(app, root, one)}>
            {t("Correct it")}
          </button>
        </div>
      ))}
      {book.clashes.map((code) => (
        <Clash key={code} code={code} />
      ))}
    </section>
  );
}

/** Two phones made the same code: this one gives its person a new one, and their records follow. */
function Clash({ code }: { code: string }) {
  const { vault, book, refresh, exchange } = useApp();
  const again = async (): Promise<void> => {
    const fresh = newCode(random(8));
    const label = book.people.find((one) => one.code === code)?.label ?? "";
    await finishNote(vault, "reissue", { code, new: fresh }, (held) => {
      const rest = {
        ...held,
        clashes: held.clashes.filter((one) => one !== code),
        people: held.people.filter((one) => one.code !== code),
        due: held.due.map((one) => (one.code === code ? { ...one, code: fresh } : one)),
      };
      return withCard(rest, fresh, label);
    });
    await refresh();
    go(`/card/${fresh}`);
    void exchange();
  };
  return (
    <div class="item">
      <b class="code">{shownCode(code)}</b>
      <p class="soft">
        {t("By chance another phone made the same code. Give your person a new card.")}
      </p>
      <button type="button" class="btn wide" onClick={() => void again()}>
        {t("Make the new card")}
      </button>
    </div>
  );
}

/** Referrals of one's own that have not come to an end. */
export function Referrals() {
  const app = useApp();
  const { forms, book } = app;
  const open_ = Object.entries(book.referrals);
  if (open_.length === 0) return null;
  const form = forms.find((one) => one.id === "referral");
  const word = (what: string, name: string): string => {
    const element = form?.elements.find((one) => one.path === form.summary[what]);
    const choice = form?.choices[element?.choices ?? ""]?.find((one) => one.name === name);
    const label = choice && inLanguage(choice.label, currentLanguage());
    return typeof label === "string" ? label : name;
  };
  return (
    <section class="card" aria-labelledby="referrals">
      <h2 id="referrals">{t("Open referrals")}</h2>
      {open_.map(([root, one]) => (
        <div class="item row" key={root}>
          <div>
            <b>{word("kind", one.kind)}</b>{" "}
            {one.code && <span class="code">{shownCode(one.code)}</span>}
            <br />
            <span class="soft">
              {word("status", one.status)} · {dayOf(one.day)}
            </span>
          </div>
          <button
            type="button"
            class="btn quiet"
            aria-label={t("How is it going? {name}", { name: word("kind", one.kind) })}
            onClick={() => void open(app, root, one)}
          >
            {t("Update")}
          </button>
        </div>
      ))}
    </section>
  );
}

/** Fetch a record that was sent, to correct it: what is finished is sealed, so only the centre can give it back. */
export function Correct({ id }: { id: string }) {
  const app = useApp();
  const [said, setSaid] = useState("");
  const fetch = async (): Promise<void> => {
    setSaid(t("One moment …"));
    try {
      await open(
        app,
        id,
        await fetchRecord(app.vault.account.token, app.vault.account.receipts, id),
      );
    } catch (error) {
      if (error instanceof Refused && error.code !== "access.not_found") setSaid(error.message);
      else if (error instanceof Refused)
        setSaid(
          t(
            "The centre does not give it back: it is older than two weeks, or became no record. Tell your centre.",
          ),
        );
      else setSaid(t("No connection to the centre just now. Nothing is lost."));
    }
  };
  return (
    <>
      <Top title={t("Correct a record")} />
      <main class="screen" id="main">
        <p>
          {t(
            "What you finish is sealed: this phone cannot read it any more. The centre gives it back to you alone.",
          )}
        </p>
        {said && (
          <p class="state" role="status">
            {said}
          </p>
        )}
      </main>
      <footer class="foot">
        <button type="button" class="btn main wide" onClick={() => void fetch()}>
          {t("Get it from the centre")}
        </button>
        <a class="btn wide" href="#/mine">
          {t("Back")}
        </a>
      </footer>
      <Tabs here="mine" />
    </>
  );
}
