/** Pieces that several screens use. */

import { type FormDefinition, inLanguage } from "../engine/definition";
import { clockAhead } from "../sync/requests";
import { currentLanguage, nt, t } from "../i18n";
import { useApp } from "./state";
import { Title } from "./title";

export function Tabs({ here }: { here: "today" | "new" | "mine" }) {
  const tabs = [
    ["today", t("Today")],
    ["new", t("Log")],
    ["mine", t("Mine")],
  ] as const;
  return (
    <nav class="tabs" aria-label={t("Main")}>
      {tabs.map(([key, label]) => (
        <a key={key} href={`#/${key}`} aria-current={key === here ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

/** Where the worker's data is, in words; and what is wrong with the phone, when something is. */
export function DataState() {
  const { ledger, outcome, vault } = useApp();
  const off = Math.abs(clockAhead);
  return (
    <>
      {off > 10 && (
        <p class="state danger" role="status">
          {t("This phone's clock is {how} off. Set it right, or days and hours will be wrong.", {
            how:
              off < 120
                ? t("about {n} min", { n: off })
                : t("about {n} h", { n: Math.round(off / 60) }),
          })}
        </p>
      )}
      {ledger.lost > 0 && (
        <p class="state danger" role="status">
          {nt(
            "{n} record is missing from this phone. Tell your centre.",
            "{n} records are missing from this phone. Tell your centre.",
            ledger.lost,
          )}
        </p>
      )}
      {outcome === "signed-out" || !vault.account.key || !vault.account.signer ? (
        <p class="state danger" role="status">
          {t("The centre has signed this phone out. Your work is still here.")}{" "}
          <a href="#/sign-in">{t("Sign in again")}</a>
        </p>
      ) : (
        <Whereabouts />
      )}
    </>
  );
}

function Whereabouts() {
  const { ledger, outcome } = useApp();
  if (ledger.waiting > 0) {
    return (
      <p class="state wait" role="status">
        {nt(
          "{n} saved on this phone, not yet sent.",
          "{n} saved on this phone, not yet sent.",
          ledger.waiting,
        )}{" "}
        {outcome === "offline"
          ? t("No signal just now. The record is sent automatically later.")
          : t("It is sent automatically when there is a signal.")}
      </p>
    );
  }
  if (ledger.made === 0)
    return (
      <p class="state" role="status">
        {t("Nothing saved on this phone yet.")}
      </p>
    );
  return (
    <p class="state safe" role="status">
      {t("All sent.")}
    </p>
  );
}

/** Where each record is: made = with the centre + waiting + deleted by you (+ lost). */
export function LedgerList() {
  const { ledger } = useApp();
  const rows: [string, number][] = [
    [t("Created on this phone"), ledger.made],
    [t("At the centre"), ledger.delivered + ledger.kept],
    [t("Waiting here"), ledger.waiting],
    [t("Deleted by you"), ledger.deleted],
    [t("Lost"), ledger.lost],
  ];
  return (
    <dl class="ledger">
      {rows.map(([label, count]) => (
        <div key={label} class={label === t("Lost") && count > 0 ? "danger" : undefined}>
          <dt>{label}</dt>
          <dd>{count}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What a form is called. */
export function titleOf(forms: FormDefinition[], id: string): string {
  const form = forms.find((each) => each.id === id);
  const text = form ? inLanguage(form.title, currentLanguage()) : id;
  return typeof text === "string" ? text : id;
}

/** The head of a screen: its name, and the way to make all of it vanish. */
export function Top({ title, name }: { title: string; name?: string }) {
  const { hide } = useApp();
  return (
    <header class="top">
      <Title {...(name ? { name } : {})}>{title}</Title>
      <button type="button" class="hide" onClick={hide}>
        {t("Hide")}
      </button>
    </header>
  );
}

/** Whether shell, forms and areas were checked and are all here. */
export function Ready() {
  const { isReady } = useApp();
  return isReady ? (
    <span class="tag safe">✓ {t("Ready offline")}</span>
  ) : (
    <span class="tag wait">{t("Getting ready …")}</span>
  );
}

/** What stands in place of forms before the first ones have come. */
export function NoForms() {
  return (
    <p class="state wait">{t("No forms on this phone yet. They come with the first signal.")}</p>
  );
}
