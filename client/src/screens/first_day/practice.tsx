/** A practice record: the real questions, and nothing of it is stored or sent. */

import { useMemo } from "preact/hooks";
import { findMainForm } from "../../storage/forms";
import { t } from "../../i18n";
import { NO_HELP } from "../../widgets/props";
import { leavePages } from "../fill/history";
import type { Keeper } from "../fill/keeper";
import { NotHere } from "../fill/not_here";
import { Pages } from "../fill/pages";
import { Tabs, Top } from "../parts";
import { replaceWith, useApp } from "../state";

const doNothing = (): Promise<void> => Promise.resolve();

export function Practice({ isDone }: { isDone: boolean }) {
  const { forms, vault, hide } = useApp();
  const definition = findMainForm(forms);
  const keeper = useMemo<Keeper>(
    () => ({
      save: doNothing,
      finish: () => leavePages().then(() => replaceWith("/practice/done")),
      close: doNothing,
      discard: doNothing,
      exit: () => void leavePages().then(() => replaceWith("/today")),
      hide,
    }),
    [],
  );
  if (isDone) return <Practiced />;
  if (!definition) {
    return (
      <NotHere
        title={t("This form is not on the phone")}
        text={t("The form was withdrawn, or has not arrived yet. Sync when there is a signal.")}
      />
    );
  }
  return (
    <Pages
      definition={definition}
      answers={null}
      page={0}
      notice={t("Practice: nothing of this is stored or sent.")}
      who={{ username: vault.account.username, deviceid: "" }}
      keeper={keeper}
      help={NO_HELP}
      isTrial
    />
  );
}

function Practiced() {
  return (
    <>
      <Top title={t("Practice finished")} />
      <main class="screen" id="main">
        <p>{t("A real record goes to your centre now. This one is gone.")}</p>
      </main>
      <footer class="foot">
        <a class="btn main wide" href="#/today">
          {t("Done")}
        </a>
        <a class="btn wide" href="#/practice">
          {t("Practice once more")}
        </a>
      </footer>
      <Tabs here="today" />
    </>
  );
}
