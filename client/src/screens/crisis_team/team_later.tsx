/**
 * What the crisis team gave to this worker, with the way to say that they have seen it, and what
 * they asked the team for. All of it works without signal.
 */

import {
  AREA,
  findFollowUpForm,
  findFormWithRole,
  INCIDENT,
  listChoicesOf,
} from "../../engine/roles";
import { inLanguage } from "../../engine/definition";
import { currentLanguage, t } from "../../i18n";
import type { AskedFor, Assignment, Caseload } from "../../storage/caseload";
import { changeCaseload } from "../../storage/caseload";
import { formatLocalTime } from "../../storage/outbox";
import { formatMoment } from "../day";
import { loadLastSteps } from "../fill/last_steps_later";
import { useOneAtATime } from "../one_at_a_time";
import { titleOf } from "../parts";
import { makeStartAddress } from "../start_address";
import { type AppState, useApp } from "../state";
import { describeFollowed } from "../today/follow_ups";

/** What can be asked for: the board's own words (NEEDS in sync/notes.py). */
export const NEEDS: Record<string, () => string> = {
  presence: () => t("Presence on the street"),
  escort: () => t("Somebody to go along"),
  mediation: () => t("A mediation"),
  visit: () => t("A visit"),
  vigil: () => t("A vigil"),
  supplies: () => t("Food or supplies"),
  debrief: () => t("A talk after a hard day"),
};

const DONE_FOR = 12 * 3_600_000; // milliseconds for which it says that something is done
const HOUR = 60; // minutes
const DAY = 24 * HOUR;

/** How long ago a moment was: 40 minutes ago. */
export function formatAgo(moment: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(moment)) / 60_000));
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang);
  if (minutes < 2 * HOUR) return format.format(-minutes, "minute");
  if (minutes < 2 * DAY) return format.format(-Math.round(minutes / HOUR), "hour");
  return format.format(-Math.round(minutes / DAY), "day");
}

const at = (moment: string): string => formatMoment(Date.parse(moment));

/** What the centre tells under keys of a kind, by what stands behind it. */
function listTold<T>(caseload: Caseload, kind: string): [string, T][] {
  const keys = Object.keys(caseload.told).filter((key) => key.startsWith(kind));
  return keys.map((key) => [key.slice(kind.length), caseload.told[key] as T]);
}

/** What it is and where, in the words of the forms on this phone. */
function describe({ forms }: AppState, { form, kind, need, area }: Partial<Assignment>): string {
  const incidents = findFormWithRole(forms, INCIDENT)?.id ?? "";
  if (!need) {
    const about = { form: form ?? incidents, kind: kind ?? "", area: area ?? "" };
    return describeFollowed(forms, about) || titleOf(forms, about.form);
  }
  const place = area && describeFollowed(forms, { form: incidents, area });
  return [NEEDS[need]?.() ?? need, place].filter(Boolean).join(" · ");
}

/** What is new from the team, on top of Today. */
export function News() {
  const { book } = useApp();
  const assignments = listTold<Assignment>(book, "asked/");
  const gone = Object.entries(book.seen).filter(([name]) => !book.told[`asked/${name}`]);
  return (
    <>
      {assignments.map(([name, assignment]) => (
        <AssignmentCard key={name} name={name} assignment={assignment} />
      ))}
      {gone.map(([name, assignment]) => (
        <Gone key={name} name={name} assignment={assignment} />
      ))}
      <Requests />
    </>
  );
}

interface AssignmentProps {
  name: string; // of the incident's record, or of the request
  assignment: Assignment;
}

/** The worker has seen it; kept beside what the centre tells until that says so too. */
const addSeen = (caseload: Caseload, { name, assignment }: AssignmentProps): Caseload => ({
  ...caseload,
  seen: { ...caseload.seen, [name]: assignment },
});

function AssignmentCard({ name, assignment }: AssignmentProps) {
  const app = useApp();
  const { vault, forms, book, refresh, exchange } = app;
  const { id, assigned, seen, since, form } = assignment;
  const isSeen = Boolean(seen) || book.seen[name]?.assigned === assigned;
  const [see, isBusy] = useOneAtATime(async () => {
    const { finishNote } = await loadLastSteps();
    await finishNote(vault, "seen", { asked: id, assigned }, (caseload) =>
      addSeen(caseload, { name, assignment }),
    );
    await refresh();
    void exchange();
  });
  const followUp = form && findFollowUpForm(forms, form);
  const what = describe(app, assignment);
  return (
    <section class="card" aria-labelledby={`asked-${name}`}>
      <div role={isSeen ? undefined : "alert"}>
        <p class={isSeen ? "soft" : "state danger"}>
          {isSeen ? t("The crisis team assigned this to you") : t("You were asked to go")}
        </p>
        <h2 id={`asked-${name}`}>{what}</h2>
        <p class="soft">
          {since && `${formatAgo(since)} · `}
          {t("asked at {time}", { time: at(assigned) })}
        </p>
      </div>
      {isSeen && <SeenState seen={seen} />}
      <div class="row start">
        {!isSeen && (
          <button type="button" class="btn main" disabled={isBusy} onClick={() => see()}>
            {t("I have seen it")}
          </button>
        )}
        {followUp && (
          <a class="btn" href={makeStartAddress(followUp.id, { due: name })}>
            {titleOf(forms, followUp.id)}
          </a>
        )}
      </div>
    </section>
  );
}

/** Whether the team knows that it was seen. */
function SeenState({ seen = "" }: { seen?: string | undefined }) {
  return seen ? (
    <p class="state safe">
      {t("The crisis team knows that you have seen it: {time}", { time: at(seen) })}
    </p>
  ) : (
    <p class="state wait">
      {t(
        "The crisis team does not know yet that you have seen it. It is sent automatically; if it is urgent, call.",
      )}
    </p>
  );
}

/** That something which the worker had seen is not theirs any more: they may be on their way. */
function Gone({ name, assignment }: AssignmentProps) {
  const app = useApp();
  const [dismiss, isBusy] = useOneAtATime(async () => {
    await changeCaseload(app.vault, (caseload) => {
      const { [name]: _, ...seen } = caseload.seen;
      return { ...caseload, seen };
    });
    await app.refresh();
  });
  return (
    <p class="state wait" role="status">
      <span>
        {t("No longer yours, it was closed or somebody else has it: {what}", {
          what: describe(app, assignment),
        })}{" "}
        <button type="button" class="link" disabled={isBusy} onClick={() => dismiss()}>
          {t("OK")}
        </button>
      </span>
    </p>
  );
}

/** What became of what was asked for, in order: as far as the centre told. */
export function listStates({ heard, seen, assigned, acted, done }: AskedFor): string[] {
  return [
    heard && t("The centre has it: {time}", { time: at(heard) }),
    seen && t("Seen by the crisis team: {time}", { time: at(seen) }),
    assigned && t("Assigned to somebody: {time}", { time: at(assigned) }),
    acted && t("Action taken: {time}", { time: at(acted) }),
    done && t("Done: {time}", { time: at(done) }),
  ].filter((state): state is string => Boolean(state));
}

function Requests() {
  const app = useApp();
  const { book, lines } = app;
  const byId = new Map(listTold<AskedFor>(book, "request/"));
  const own = Object.entries(book.requests).filter(([id]) => !byId.has(id));
  const isWaiting = (id: string): boolean =>
    lines.some((line) => line.id === id && line.state === "waiting");
  const heard = [...byId].filter(
    ([, { done }]) => !done || Date.now() - Date.parse(done) < DONE_FOR,
  );
  if (heard.length + own.length === 0) return null;
  return (
    <section class="card" aria-labelledby="asked-team">
      <h2 id="asked-team">{t("Asked the crisis team")}</h2>
      {own.map(([id, request]) => (
        <div class="item" key={id}>
          <b>{describe(app, request)}</b>
          {isWaiting(id) ? (
            <p class="state wait">
              {t(
                "On this phone only. It is sent automatically when there is a signal; if it is urgent, call.",
              )}
            </p>
          ) : (
            <NotHeard id={id} />
          )}
        </div>
      ))}
      {heard.map(([id, request]) => (
        <div class="item" key={id}>
          <b>{describe(app, request)}</b>
          {listStates(request).map((state) => (
            <p class="soft" key={state}>
              {state}
            </p>
          ))}
        </div>
      ))}
    </section>
  );
}

/** Of what left this phone, and of which the centre tells nothing. */
function NotHeard({ id }: { id: string }) {
  const { vault, refresh, book } = useApp();
  const [dismiss, isBusy] = useOneAtATime(async () => {
    await changeCaseload(vault, (caseload) => {
      const { [id]: _, ...requests } = caseload.requests;
      return { ...caseload, requests };
    });
    await refresh();
  });
  // Sent, and not all was heard of the centre since.
  if (book.heard !== book.finished) return <p class="state wait">{t("It was sent.")}</p>;
  return (
    <p class="state danger">
      <span>
        {t("The crisis team has not got this. Call them.")}{" "}
        <button type="button" class="link" disabled={isBusy} onClick={() => dismiss()}>
          {t("OK")}
        </button>
      </span>
    </p>
  );
}

/** Ask for something, in chosen words. */
export function Ask() {
  const { vault, forms, refresh, exchange } = useApp();
  const incidents = findFormWithRole(forms, INCIDENT);
  const areas = incidents ? listChoicesOf(incidents, AREA) : [];
  const [ask, isBusy] = useOneAtATime(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const [need, area] = ["need", "area"].map((name) => String(fields.get(name) ?? ""));
    const { finishNote } = await loadLastSteps();
    const id = crypto.randomUUID();
    const request = { need: need!, area: area!, at: formatLocalTime(new Date()) };
    await finishNote(
      vault,
      "ask",
      { need: need!, area: area! },
      (caseload) => ({ ...caseload, requests: { ...dropTold(caseload), [id]: request } }),
      id,
    );
    form.reset();
    form.closest("details")?.removeAttribute("open");
    await refresh();
    void exchange();
  });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        ask(event.currentTarget);
      }}
    >
      <div class="field">
        <label for="team-need">{t("What is needed?")}</label>
        <select id="team-need" name="need" required>
          <option value="">–</option>
          {Object.entries(NEEDS).map(([name, label]) => (
            <option value={name} key={name}>
              {label()}
            </option>
          ))}
        </select>
      </div>
      {areas.length > 0 && (
        <div class="field">
          <label for="team-area">{t("Where, if it matters")}</label>
          <select id="team-area" name="area">
            <option value="">–</option>
            {areas.map(({ name, label }) => (
              <option value={name} key={name}>
                {String(inLanguage(label, currentLanguage()))}
              </option>
            ))}
          </select>
        </div>
      )}
      <p class="soft">
        {t("Chosen words only: nobody can be named here. In danger, call for help instead.")}
      </p>
      <button class="btn main" disabled={isBusy}>
        {t("Ask the crisis team")}
      </button>
    </form>
  );
}

/** What was asked here of which the centre does not tell by itself. */
function dropTold(caseload: Caseload): Caseload["requests"] {
  const isLeft = ([id]: [string, AskedFor]): boolean => !caseload.told[`request/${id}`];
  return Object.fromEntries(Object.entries(caseload.requests).filter(isLeft));
}
