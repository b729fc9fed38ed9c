/** After a record was finished: where it is, and what may come next. */

import { findFormWithRole, REFERRAL } from "../../engine/roles";
import { t } from "../../i18n";
import { DataState, LedgerList, Tabs, Top } from "../parts";
import { useApp } from "../state";

export function Saved({ form, then }: { form: string; then: string }) {
  const { ledger, forms } = useApp();
  const isWaiting = ledger.waiting > 0;
  const referral = findFormWithRole(forms, REFERRAL);
  const asksReferral = then === "refer";
  return (
    <>
      <Top title={isWaiting ? t("Saved on this phone") : t("At the centre")} />
      <main class="screen" id="main">
        <div class={isWaiting ? "done wait" : "done"} aria-hidden="true">
          ✓
        </div>
        <DataState />
        <section class="card">
          <LedgerList />
        </section>
      </main>
      <footer class="foot">
        {asksReferral && referral && (
          <a class="btn main wide" href={`#/start/${referral.id}`}>
            {t("Log the referral")}
          </a>
        )}
        <a class={asksReferral ? "btn wide" : "btn main wide"} href={`#/start/${form}`}>
          {t("Log another")}
        </a>
        <a class="btn wide" href="#/today">
          {t("Done")}
        </a>
      </footer>
      <Tabs here="new" />
    </>
  );
}
