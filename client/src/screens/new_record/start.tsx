/**
 * A new draft of the current version of a form. It is written with the first answer; one that was
 * never touched never was.
 */

import { useMemo } from "preact/hooks";
import { t } from "../../i18n";
import { listHeads } from "../../storage/caseload";
import type { Draft } from "../../storage/drafts";
import { DraftScreen } from "../fill/draft_screen";
import { Fill } from "../fill/fill";
import { makeInitialAnswers } from "../fill/initial_answers";
import { NotHere } from "../fill/not_here";
import { useApp } from "../state";

interface StartProps {
  id: string; // of the form
  about: string; // CODE|kind, see makeInitialAnswers
  due: string; // the follow-up that it does, or ""
}

/** Begin a form, with last answers where it asks for them. */
export function Start({ id, about, due }: StartProps) {
  const { vault, forms, book, drafts } = useApp();
  const definition = forms.find((form) => form.id === id);
  // What is due is done once: a second tap on it goes on with what the first began.
  const begun = useMemo(() => drafts.find((draft) => due !== "" && draft.due === due), []);
  const draft = useMemo<Draft>(
    () => ({
      id: crypto.randomUUID(),
      form: id,
      version: definition?.version ?? "",
      changedAt: Date.now(),
      page: 0,
      answers: {},
      ...(due ? { due } : {}),
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
  const first = makeInitialAnswers(definition, about, due);
  const seeds = { ...vault.account.remembered[id], ...first };
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
