/**
 * A new draft of the current version of a form. It is written with the first answer; one that was
 * never touched never was.
 */

import { useMemo } from "preact/hooks";
import type { FormDefinition } from "../../engine/definition";
import { findQuestion, FOLLOWS, readRole, SHIFT_END, SHIFT_START } from "../../engine/roles";
import { t } from "../../i18n";
import { type Assignment, listHeads } from "../../storage/caseload";
import type { Draft } from "../../storage/drafts";
import { DraftScreen } from "../fill/draft_screen";
import { Fill } from "../fill/fill";
import { type Answers, makeInitialAnswers } from "../fill/initial_answers";
import { isEndingNow } from "../today/shift_end";
import { NotHere } from "../fill/not_here";
import { useApp } from "../state";

interface StartProps {
  id: string; // of the form
  about: string; // CODE|kind, see makeInitialAnswers
  due: string; // the follow-up that it does (RECORD/DAY), the record that it follows up, or ""
}

/** When a shift began that is on; and no end where it can hardly be now. */
function makeShiftTimes(definition: FormDefinition, shift: string): Answers {
  const start = findQuestion(definition, SHIFT_START);
  const end = findQuestion(definition, SHIFT_END);
  if (!shift || !start || !end) return {};
  // As the engine writes the phone's clock: without its offset.
  return { [start.path]: shift.slice(0, 23), ...(!isEndingNow(shift) && { [end.path]: "" }) };
}

/** Begin a form, with last answers where it asks for them. */
export function Start({ id, about, due }: StartProps) {
  const { vault, forms, book, drafts } = useApp();
  const definition = forms.find((form) => form.id === id);
  // What is due is done once: a second tap on it goes on with what the first began.
  const [root = ""] = due.split("/");
  // A correction of one that was sent is another's work: what is said now is a record of its own.
  const isBegun = (draft: Draft): boolean =>
    !draft.root &&
    (draft.due === due ||
      (draft.form === id && !!definition && readRole(definition, draft.answers, FOLLOWS) === root));
  const begun = useMemo(() => drafts.find((draft) => due !== "" && isBegun(draft)), []);
  const draft = useMemo<Draft>(
    () => ({
      id: crypto.randomUUID(),
      form: id,
      version: definition?.version ?? "",
      changedAt: Date.now(),
      page: 0,
      answers: {},
      ...(due.includes("/") ? { due } : {}),
      heads: listHeads(book),
    }),
    [],
  );
  if (begun) return <Fill id={begun.id} />;
  if (!definition) {
    return (
      <NotHere
        title={t("This form is not on the phone")}
        text={t("The form was withdrawn, or has not arrived yet. Sync when there is a signal.")}
      />
    );
  }
  const from =
    book.due.find((other) => other.id === due)?.from ??
    book.open[root]?.from ??
    (book.told[`asked/${root}`] as Assignment | undefined)?.from;
  const first = makeInitialAnswers(definition, about, due, from);
  const seeds = {
    ...vault.account.remembered[id],
    ...first,
    ...makeShiftTimes(definition, book.shift),
  };
  const chosen = Object.keys(first);
  return (
    <DraftScreen
      draft={draft}
      definition={definition}
      notice=""
      seeds={seeds}
      chosen={chosen}
      isNew
    />
  );
}
