/** What is not finished. */

import { t } from "../../i18n";
import { formatMoment } from "../day";
import { describeAnswers } from "../describe_record";
import { titleOf } from "../parts";
import { useApp } from "../state";

/** Records that were begun and not finished. */
export function Drafts() {
  const app = useApp();
  const { forms, book } = app;
  // What was sent back stands under what needs the worker, begun or not.
  const drafts = app.drafts.filter(({ root }) => !root || !book.todo[root]);
  if (drafts.length === 0) return null;
  return (
    <section class="card" aria-labelledby="drafts">
      <h2 id="drafts">{t("Not finished")}</h2>
      <div>
        {drafts.map((draft) => (
          <div class="item" key={draft.id}>
            <a href={`#/fill/${draft.id}`}>{titleOf(forms, draft.form)}</a>
            {describeAnswers(app, draft)}
            <span class="soft">
              {t("Last change {when}", { when: formatMoment(draft.changedAt) })}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}
