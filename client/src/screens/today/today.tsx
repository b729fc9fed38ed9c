/** Today: where the work is, what is due, what is not finished. New: what happened? */

import { shownCode } from "../../engine/cards";
import { nt, t } from "../../i18n";
import { removeCompleted } from "../../storage/caseload_updates";
import type { FollowUp } from "../../storage/caseload";
import { findMainForm } from "../../storage/forms";
import { finishNote } from "../../storage/outbox";
import { Needs, Referrals } from "../to_correct/to_correct";
import { clock, DataState, dayOf, Ready, Tabs, titleOf, Top } from "../parts";
import { useApp } from "../state";

const DAY = 86_400_000;

/** The local day, as YYYY-MM-DD. */
export function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

const days = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY);

function whenDue(due: FollowUp): string {
  const late = days(due.on, today());
  return late > 0 ? nt("{n} day late", "{n} days late", late) : t("today");
}

function DueList() {
  const { vault, forms, book, refresh, exchange } = useApp();
  const due = book.due.filter((one) => one.on <= today());
  const next = book.due.find((one) => one.on > today());
  if (due.length === 0 && !next) return null;
  const settle = async (id: string): Promise<void> => {
    await finishNote(vault, "settle", { due: id }, (held) => ({
      ...held,
      due: removeCompleted(held.due, id),
      settled: [...held.settled, id],
    }));
    await refresh();
    void exchange();
  };
  return (
    <section class="card" aria-labelledby="due">
      <h2 id="due">{t("Due")}</h2>
      {due.map((one) => {
        const label = book.people.find((person) => person.code === one.code)?.label;
        const name = one.code ? shownCode(one.code) : titleOf(forms, one.form);
        const kind = one.code ? "" : "med_followup";
        return (
          <div class="item row" key={one.id}>
            <a
              href={`#/start/encounter/${encodeURIComponent(`${one.code}|${kind}`)}/${encodeURIComponent(one.id)}`}
            >
              <span class={one.code ? "code" : undefined}>{name}</span>
              {label && ` · ${label}`}
              <span class="soft"> {t("day {n}", { n: days(one.from, one.on) })}</span>
            </a>
            <span class={one.on < today() ? "tag wait" : "tag"}>{whenDue(one)}</span>
            <button
              type="button"
              class="btn quiet"
              aria-label={t("Not needed: {name}", { name })}
              onClick={() => void settle(one.id)}
            >
              {t("Not needed")}
            </button>
          </div>
        );
      })}
      {due.length === 0 && (
        <p class="soft">{t("Nothing is due today. Next: {day}.", { day: dayOf(next!.on) })}</p>
      )}
    </section>
  );
}

function Drafts() {
  const { forms, drafts } = useApp();
  if (drafts.length === 0) return null;
  return (
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
  );
}

const MINUTES: Record<string, number> = {
  lt5: 3,
  "5_15": 10,
  "15_30": 22,
  "30_60": 45,
  gt60: 75,
  "60_180": 120,
  gt180: 200,
};

/** The past seven days, for the worker alone. */
function Week() {
  const { lines } = useApp();
  const names = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short" });
  const week = [6, 5, 4, 3, 2, 1, 0].map((ago) => {
    const date = new Date(Date.now() - ago * DAY);
    const mine = lines.filter(
      (line) => line.finishedAt && new Date(line.finishedAt).toDateString() === date.toDateString(),
    );
    return {
      name: names.format(date),
      count: mine.length,
      minutes: mine.reduce((sum, line) => sum + (MINUTES[line.minutes] ?? 0), 0),
    };
  });
  const count = week.reduce((sum, day) => sum + day.count, 0);
  const minutes = week.reduce((sum, day) => sum + day.minutes, 0);
  const about =
    minutes < 60
      ? t("about {n} min", { n: minutes })
      : t("about {n} h", { n: Math.round(minutes / 60) });
  const time = minutes > 0 && about;
  const most = Math.max(1, ...week.map((day) => day.count));
  return (
    <section class="card" aria-labelledby="week">
      <h2 id="week">{t("My week")}</h2>
      <p class="soft">
        {t("Only you see this.")} {nt("{n} record", "{n} records", count)}
        {time && `, ${time}`}.
      </p>
      {count > 0 && (
        <ol class="week">
          {week.map((day) => (
            <li key={day.name}>
              <b>{day.count}</b>
              <i aria-hidden="true" style={{ blockSize: `${(40 * day.count) / most}px` }} />
              <span>{day.name}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

export function Today() {
  const { forms } = useApp();
  const main = findMainForm(forms);
  return (
    <>
      <Top title={t("Today")} />
      <main class="screen" id="main">
        <div>
          <Ready />
        </div>
        <DataState />
        <Needs />
        <DueList />
        <Referrals />
        <Drafts />
        <Week />
        {forms.length === 0 && (
          <p class="state wait">
            {t("No forms on this phone yet. They come with the first signal.")}
          </p>
        )}
      </main>
      {main && (
        <footer class="foot">
          <a class="btn main wide" href={`#/start/${main.id}`}>
            + {main.id === "encounter" ? t("Log an encounter") : titleOf(forms, main.id)}
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
  participant: () => t("Intake, review or exit of a participant"),
  shift: () => t("My shift"),
};

export function New() {
  const { forms } = useApp();
  const order = Object.keys(WHAT);
  const rank = (id: string): number => (order.includes(id) ? order.indexOf(id) : order.length);
  const sorted = [...forms].sort((a, b) => rank(a.id) - rank(b.id));
  return (
    <>
      <Top title={t("What happened?")} />
      <main class="screen" id="main">
        {sorted.map((form) => (
          <a class="btn wide" key={form.id} href={`#/start/${form.id}`}>
            {WHAT[form.id]?.() ?? titleOf(forms, form.id)}
          </a>
        ))}
        {forms.length === 0 && (
          <p class="state wait">
            {t("No forms on this phone yet. They come with the first signal.")}
          </p>
        )}
        <a class="btn wide" href="#/people">
          {t("My cards")}
        </a>
        <a class="btn wide" href="#/where">
          {t("Where and when to go")}
        </a>
      </main>
      <Tabs here="new" />
    </>
  );
}
