/** A finished record, looked over again, and what can still be done about it. */

import { useEffect, useState } from "preact/hooks";
import type { FormDefinition } from "../../engine/definition";
import { Form } from "../../engine/form";
import { parseDate } from "../../engine/values";
import { currentLanguage, t } from "../../i18n";
import type { Draft } from "../../storage/drafts";
import { findForm } from "../../storage/forms";
import { findClock } from "../../storage/outbox";
import { readCopy } from "../../storage/take_back";
import { describeDate, formatMoment } from "../day";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, titleOf } from "../parts";
import { describeState, findWays } from "../record_ways";
import { noteScreen, replaceWith, useApp } from "../state";
import { changeFinished, deleteFinished } from "./change_finished";
import { Elsewhere } from "./elsewhere";
import { chooseLanguage, listSpoken } from "./form_pages";
import { OverviewLater } from "./overview_later";
import { NewerVersion, SlipTaken } from "./slip_taken";

/** The copy of a record as its form, judged as of when it was finished, which is how it is sent. */
function useFinished(id: string, finishedAt: string): Form | "missing" | null {
  const { vault, forms } = useApp();
  const [form, setForm] = useState<Form | "missing" | null>(null);
  useEffect(() => {
    void (async () => {
      const copy: Draft | null = await readCopy(vault, id);
      const own = copy && (await findForm(vault.account.user, copy.form, copy.version));
      const definition: FormDefinition | undefined =
        own ?? forms.find((each) => each.id === copy?.form);
      // Of the phone's clock then, wherever it is now.
      const moment = parseDate(findClock(finishedAt, copy?.clock));
      if (!copy || !definition || !moment) setForm("missing");
      else setForm(new Form(definition, () => moment, copy.answers));
    })();
  }, [id]);
  return form;
}

export function FinishedRecord({ id }: { id: string }) {
  const app = useApp();
  const { lines, forms, book, drafts, hide } = app;
  const line = lines.find((each) => each.id === id);
  const form = useFinished(id, line?.finishedAt ?? "");
  const [change, isBusy] = useOneAtATime(() => changeFinished(app, line!));
  const [deleteIt, isDeleting] = useOneAtATime(async () => {
    const question = t("Delete this record before it is sent? This cannot be undone.");
    const isHere = noteScreen();
    if ((await deleteFinished(app, id, question)) && isHere()) replaceWith("/mine");
  });
  if (form === null) return null;
  if (form === "missing" || !line?.hasCopy) return <Elsewhere id={id} as="fill" />;
  const isWaiting = line.state === "waiting";
  const { isOpen, isCorrectable, isReplaced } = findWays(line, drafts);
  const language = chooseLanguage(listSpoken(form.definition), currentLanguage());
  form.describeValue = (text) => describeDate(text, language);
  return (
    <>
      <header class="top">
        <a class="link" href="#/mine">
          ‹ {t("Mine")}
        </a>
        <button type="button" class="hide" onClick={hide}>
          {t("Hide")}
        </button>
      </header>
      <main class="screen" id="main">
        <OverviewLater
          {...{ form, language, presets: new Set<string>(), people: book.people }}
          title={titleOf(forms, line.form)}
        >
          <p class={isWaiting ? "state wait" : "state safe"}>
            {`${formatMoment(Date.parse(line.finishedAt))} · `}
            {describeState(line)}
          </p>
          {isWaiting && line.hasSlip && <SlipTaken />}
          {isReplaced && <NewerVersion />}
        </OverviewLater>
      </main>
      <footer class="foot">
        {(isOpen || isCorrectable) && (
          <button type="button" class="btn main wide" disabled={isBusy} onClick={() => change()}>
            {isOpen ? t("Change the record") : t("Correct the record")}
          </button>
        )}
        {isOpen && (
          <button type="button" class="btn wide" disabled={isDeleting} onClick={() => deleteIt()}>
            {t("Delete")}
          </button>
        )}
      </footer>
      <Tabs here="mine" />
    </>
  );
}
