/** The pages of a form being filled in: one group a screen or all on one, saved at every answer. */

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { type FormDefinition, inLanguage } from "../../engine/definition";
import { Form } from "../../engine/form";
import type { Json, Who } from "../../engine/types";
import { DateValue } from "../../engine/values";
import { currentLanguage, directionOf, nameOfLanguage, t } from "../../i18n";
import { StandingLine } from "../../widgets/consent/standing";
import { GroupView } from "../../widgets/group";
import type { Help } from "../../widgets/props";
import { RepeatView } from "../../widgets/repeat_later";
import type { FormSession } from "../../widgets/session";
import { Title } from "../title";
import type { SaveState } from "./draft_writer";
import {
  chooseLanguage,
  findConsentPage,
  findFirstPage,
  findPlace,
  findStandingPage,
  listPages,
  type Page,
} from "./form_pages";
import { makeSession, useWatchers, useWriter } from "./form_session";
import type { Keeper } from "./keeper";
import { usePaging } from "./paging";
import { useStanding } from "./standing_consent";

interface PagesProps {
  definition: FormDefinition;
  answers: Json | null; // null: a form that is begun, with its defaults
  seeds?: Record<string, string>; // first answers of a form that is begun: path → text
  page: number;
  notice?: string;
  who: Who;
  keeper: Keeper;
  help: Help;
  isCorrection?: boolean; // it says again what was said then
  isAway?: boolean; // something else is shown, and the form may come back
}

const readPhoneClock = (): DateValue => DateValue.ofClock(new Date());

export function Pages(props: PagesProps) {
  const { definition, answers, seeds, notice, who, keeper, help } = props;
  const [language, setLanguage] = useState(() =>
    chooseLanguage(definition.languages, currentLanguage()),
  );
  const form = useMemo(() => new Form(definition, readPhoneClock, answers, seeds, who), []);
  const standing = useStanding(form, help, language, props.isCorrection === true, turnToConsent);
  const firstPage = useMemo(
    () => (answers ? props.page : findFirstPage(form, language, seeds ?? {})),
    [],
  );
  const place = useRef(firstPage);
  const watch = useWatchers(form);
  const save = (): Promise<void> => keeper.save(place.current, form.toJson());
  const { writer, saveState } = useWriter(save, keeper, answers !== null);
  const paging = usePaging({ form, language, keeper, writer, place });
  const { pages, here, shown, turnTo } = paging;
  const session = useMemo(
    () => makeSession({ form, language, shown, help, watch }, writer, standing.follow),
    [language, shown, help],
  );
  const askAgain = (isAnew: boolean): void => {
    standing.ask(isAnew);
    writer.scheduleWrite();
    if (isAnew) turnToConsent();
  };
  const isHere = standing.shown && findStandingPage(form, pages, standing.shown) === here;
  function turnToConsent(): void {
    const page = standing.shown ? findConsentPage(listPages(form, language), standing.shown) : -1;
    if (page >= 0) turnTo(page);
  }
  const isLast = here === pages.length - 1;
  if (props.isAway) return null;
  return (
    <>
      <header class="top">
        <button type="button" class="link" onClick={() => void paging.leave()}>
          ‹ {form.plain(inLanguage(definition.title, language), form.root)}
        </button>
        <span class="soft">{t("{page} of {count}", { page: here + 1, count: pages.length })}</span>
        {keeper.hide && (
          <button type="button" class="hide" onClick={keeper.hide}>
            {t("Hide")}
          </button>
        )}
        <FormLanguage codes={definition.languages} language={language} choose={setLanguage} />
      </header>
      <main class="screen" id="main" key={here} lang={language} dir={directionOf(language)}>
        <div class="bar" aria-hidden="true">
          <i style={{ inlineSize: `${(100 * (here + 1)) / pages.length}%` }} />
        </div>
        {notice && (
          <p class="state" role="status">
            {notice}
          </p>
        )}
        {isHere && <StandingLine consent={standing.shown!} ask={askAgain} />}
        <PageView session={session} page={pages[here]!} />
        <button type="button" class="link more" onClick={() => void paging.discard()}>
          {t("Delete the draft")}
        </button>
      </main>
      <Foot saveState={saveState} isTrial={!keeper.hide}>
        <button type="button" class="btn" disabled={here === 0} onClick={() => turnTo(here - 1)}>
          {t("Back")}
        </button>
        <button type="button" class="btn main" disabled={paging.isFinishing} onClick={paging.goOn}>
          {isLast ? t("Finish") : t("Next")}
        </button>
      </Foot>
    </>
  );
}

/** A list of the form's languages where it has more than the app itself speaks. */
function FormLanguage({
  codes,
  language,
  choose,
}: {
  codes: string[];
  language: string;
  choose: (code: string) => void;
}) {
  if (codes.every((code) => code === "en" || code === "fr")) return null;
  return (
    <select
      aria-label={t("Language of the questions")}
      value={language}
      onChange={(event) => choose((event.target as HTMLSelectElement).value)}
    >
      {codes.map((code) => (
        <option key={code} value={code}>
          {nameOfLanguage(code)}
        </option>
      ))}
    </select>
  );
}

function PageView({ session, page }: { session: FormSession; page: Page }) {
  const { label, node, repeat } = page;
  const common = { session, node, place: findPlace(page), depth: 1 };
  return (
    <>
      <Title>{label || t("Questions")}</Title>
      {repeat ? (
        <RepeatView {...common} name={repeat} Instance={GroupView} />
      ) : (
        <GroupView {...common} />
      )}
    </>
  );
}

interface FootProps {
  saveState: SaveState;
  isTrial: boolean;
  children: ComponentChildren;
}

/** Where the newest answer is, in words, and the buttons to go through the pages. */
function Foot({ saveState, isTrial, children }: FootProps) {
  const words = {
    saved: isTrial ? t("A test: nothing is saved") : t("Saved on this phone"),
    saving: t("Saving …"),
    failed: t("Not saved: this phone is out of room. Free some space, then change an answer."),
  };
  return (
    <footer class="foot pair">
      <p class={saveState === "failed" ? "error" : "soft"} role="status">
        {words[saveState]}
      </p>
      <div class="buttons">{children}</div>
    </footer>
  );
}
