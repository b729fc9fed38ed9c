/** Today, New, Mine: the three places. */

import { inLanguage } from "../engine/definition";
import { LANGUAGES, currentLanguage, nt, t } from "../i18n";
import { clock, DataState, Tabs, Title } from "./parts";
import { go, useApp } from "./state";

function titleOf(forms: ReturnType<typeof useApp>["forms"], id: string): string {
  const form = forms.find((one) => one.id === id);
  const text = form ? inLanguage(form.title, currentLanguage()) : id;
  return typeof text === "string" ? text : id;
}

function Ready() {
  const { isReady } = useApp();
  return isReady ? (
    <span class="tag safe">✓ {t("Ready offline")}</span>
  ) : (
    <span class="tag wait">{t("Getting ready …")}</span>
  );
}

function InstallHint() {
  const isInstalled = matchMedia("(display-mode: standalone)").matches;
  if (isInstalled) return null;
  const isApple = /iPhone|iPad/.test(navigator.userAgent);
  return (
    <details class="card">
      <summary>{t("Put fieldapp on your home screen")}</summary>
      <p>
        {isApple
          ? t(
              "Tap the share button, then “Add to Home Screen”. Without that, an iPhone may clear your work after a week.",
            )
          : t(
              "Open the browser's menu and choose “Install app” or “Add to home screen”. Then it opens without signal.",
            )}
      </p>
    </details>
  );
}

export function Today() {
  const { forms, drafts, ledger, outbox } = useApp();
  const encounter = forms.find((form) => form.id === "encounter") ?? forms[0];
  const weekAgo = Date.now() - 7 * 86_400_000;
  const week = outbox.filter((row) => Date.parse(row.finishedAt) > weekAgo).length;
  return (
    <>
      <header class="top">
        <Title>{t("Today")}</Title>
        <Ready />
      </header>
      <main class="screen" id="main">
        <DataState />
        {drafts.length > 0 && (
          <section class="card" aria-labelledby="drafts">
            <h2 id="drafts">{t("Not finished")}</h2>
            <div>
              {drafts.map((draft) => (
                <div class="item" key={draft.id}>
                  <a href={`#/fill/${draft.id}`}>{titleOf(forms, draft.form)}</a>
                  <span class="soft">{t("Last change {when}", { when: clock(draft.changedAt) })}</span>
                </div>
              ))}
            </div>
          </section>
        )}
        <section class="card">
          <h2>{t("My week")}</h2>
          <p class="soft">
            {t("Only you see this.")} {nt("{n} record", "{n} records", week)},{" "}
            {nt("{n} with the centre", "{n} with the centre", ledger.delivered + ledger.kept)}.
          </p>
        </section>
        <InstallHint />
        {forms.length === 0 && (
          <p class="state wait">{t("No forms on this phone yet. They come with the first signal.")}</p>
        )}
      </main>
      {encounter && (
        <footer class="foot">
          <a class="btn main wide" href={`#/start/${encounter.id}`}>
            + {encounter.id === "encounter" ? t("Log an encounter") : titleOf(forms, encounter.id)}
          </a>
        </footer>
      )}
      <Tabs here="today" />
    </>
  );
}

const WHAT: Record<string, () => string> = {
  encounter: () => t("I met or talked with someone"),
  mediation: () => t("I mediated a conflict"),
  incident: () => t("Something serious happened"),
  referral: () => t("I referred someone to a service"),
  event: () => t("We held an event or canvass"),
};

export function New() {
  const { forms } = useApp();
  const order = Object.keys(WHAT);
  const rank = (id: string): number => (order.includes(id) ? order.indexOf(id) : order.length);
  const sorted = [...forms].sort((a, b) => rank(a.id) - rank(b.id));
  return (
    <>
      <header class="top">
        <Title>{t("What happened?")}</Title>
      </header>
      <main class="screen" id="main">
        {sorted.map((form) => (
          <a class="btn wide" key={form.id} href={`#/start/${form.id}`}>
            {WHAT[form.id]?.() ?? titleOf(forms, form.id)}
          </a>
        ))}
        {forms.length === 0 && (
          <p class="state wait">{t("No forms on this phone yet. They come with the first signal.")}</p>
        )}
      </main>
      <Tabs here="new" />
    </>
  );
}

export function Mine() {
  const { vault, forms, outbox, ledger, outcome, exchange, lock, relanguage } = useApp();
  const states = {
    waiting: t("waits on this phone"),
    delivered: t("safe with the centre"),
    kept: t("with the centre, who will take a look"),
  };
  const rows: [string, number][] = [
    [t("Made on this phone"), ledger.made],
    [t("Safe with the centre"), ledger.delivered + ledger.kept],
    [t("Waiting here"), ledger.waiting],
    [t("Lost"), ledger.lost],
  ];
  return (
    <>
      <header class="top">
        <Title>{t("Mine")}</Title>
        <Ready />
      </header>
      <main class="screen" id="main">
        <DataState />
        <section class="card">
          <dl class="ledger">
            {rows.map(([label, count]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{count}</dd>
              </div>
            ))}
          </dl>
          <button type="button" class="btn wide" onClick={() => void exchange()}>
            {t("Send and fetch now")}
          </button>
          {outcome === "offline" && (
            <p class="soft" role="status">
              {t("No connection to the centre just now. Nothing is lost.")}
            </p>
          )}
        </section>
        {outbox.length > 0 && (
          <section class="card">
            <h2>{t("Latest")}</h2>
            <div>
              {outbox.slice(0, 20).map((row) => (
                <div class="item" key={row.id}>
                  <b>{titleOf(forms, row.form)}</b>
                  <span class="soft">
                    {clock(Date.parse(row.finishedAt))} · {states[row.state]}
                  </span>
                </div>
              ))}
            </div>
          </section>
        )}
        <section class="card">
          <h2>{t("This phone")}</h2>
          <p class="soft">
            {vault.account.worker} · {vault.account.centre}
          </p>
          <div class="quick">
            {Object.entries(LANGUAGES)
              .filter(([code]) => code !== currentLanguage())
              .map(([code, name]) => (
                <button key={code} type="button" class="btn" lang={code} onClick={() => relanguage(code)}>
                  {name}
                </button>
              ))}
            <button
              type="button"
              class="btn"
              onClick={() => {
                lock();
                go("/today");
              }}
            >
              {t("Lock now")}
            </button>
          </div>
        </section>
      </main>
      <Tabs here="mine" />
    </>
  );
}
