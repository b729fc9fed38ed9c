/** The pages of a form being filled in: one group a screen or all on one, saved at every answer. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type FormDefinition, inLanguage } from "../../engine/definition";
import { Form } from "../../engine/form";
import type { Json, Who } from "../../engine/types";
import { DateValue } from "../../engine/values";
import { OVERVIEW } from "../../storage/types";
import { currentLanguage, directionOf, nameOfLanguage, t } from "../../i18n";
import { StandingLine } from "../../widgets/consent/standing";
import { GroupView } from "../../widgets/group";
import type { Help } from "../../widgets/props";
import { RepeatView } from "../../widgets/repeat_later";
import type { FormSession } from "../../widgets/session";
import { describeDate } from "../day";
import { Title } from "../title";
import type { SaveState } from "./draft_writer";
import {
  chooseLanguage,
  findConsentPage,
  findPlace,
  findStandingPage,
  listPages,
  listPresets,
  listSpoken,
  type Page,
} from "./form_pages";
import { makeSession, useWatchers, useWriter } from "./form_session";
import type { Keeper } from "./keeper";
import { fetchOverview, OverviewLater, FollowersLater } from "./overview_later";
import { usePaging } from "./paging";
import { useStanding } from "./standing_consent";

interface PagesProps {
  definition: FormDefinition;
  answers: Json | null; // null: a form that is begun, with its defaults
  seeds?: Record<string, string>; // first answers of a form that is begun: path → text
  chosen?: string[]; // paths of first answers that the worker gave by what they tapped
  presets?: string[]; // places of answers that stand as the phone filled them in
  page: number;
  at?: string; // place of the question to begin with
  reason?: string; // why the centre sent it back, said at that question too
  notice?: string;
  banner?: ComponentChildren; // what stays in sight on every page
  who: Who;
  keeper: Keeper;
  help: Help;
  isCorrection?: boolean; // it says again what was said then
  readClock?: () => DateValue; // what today and now mean; the phone's clock
  isTrial?: boolean; // nothing of it is stored; else where there is nothing to hide
  isAway?: boolean; // something else is shown, and the form may come back
}

const readPhoneClock = (): DateValue => DateValue.ofClock(new Date());

/** A form being filled in: its answers, who hears of each change, and the page that is shown. */
function useFilling(props: PagesProps, language: string) {
  const { definition, answers, seeds, who, keeper, help, at = "", reason = "" } = props;
  const { readClock = readPhoneClock } = props;
  const isNew = answers === null;
  const form = useMemo(() => new Form(definition, readClock, answers, seeds, who), []);
  form.describeValue = (text) => describeDate(text, language);
  const presets = useMemo(
    () => new Set(isNew ? listPresets(form, props.chosen ?? []) : props.presets),
    [],
  );
  const sentBack = useMemo(() => new Map(at && reason ? [[at, reason]] : []), []);
  const place = useRef(props.page);
  const watch = useWatchers(form);
  // Turning pages erases nothing: what a no erases comes back with a record that is taken back.
  const readAnswers = (): Json => (answers && !writer.isEdited ? answers : form.toJson());
  const save = (): Promise<void> => keeper.save(place.current, readAnswers(), [...presets]);
  const { writer, saveState } = useWriter(save, keeper, !isNew);
  const standing = useStanding(form, help, language, props.isCorrection === true, turnToConsent);
  const paging = usePaging({ form, language, keeper, writer, place, isNew, at });
  const { shown } = paging;
  const session = useMemo(() => {
    const changed = (changedPlace: string): void => {
      presets.delete(changedPlace);
      sentBack.delete(changedPlace);
      standing.follow();
    };
    return makeSession({ form, language, shown, sentBack, help, watch }, writer, changed);
  }, [language, shown, help]);
  function turnToConsent(): void {
    const page = standing.shown ? findConsentPage(listPages(form, language), standing.shown) : -1;
    if (page >= 0) paging.turnTo(page);
  }
  const askAgain = (isAnew: boolean): void => {
    standing.ask(isAnew);
    writer.scheduleWrite();
    if (isAnew) turnToConsent();
  };
  const written = (): Promise<void> => writer.written;
  return { form, presets, session, paging, saveState, written, consent: standing.shown, askAgain };
}

export function Pages(props: PagesProps) {
  const { definition, notice, banner, keeper, help } = props;
  const languages = useMemo(() => listSpoken(definition), []);
  const [language, setLanguage] = useState(() => chooseLanguage(languages, currentLanguage()));
  const filling = useFilling(props, language);
  const { form, presets, session, paging, consent } = filling;
  const { pages, here, isOverview } = paging;
  useEffect(fetchOverview, []);
  const isAsked = consent && findStandingPage(form, pages, consent) === here;
  const isConsentShown = isOverview ? consent?.isAsBefore : isAsked;
  const followers = (
    <FollowersLater
      session={session}
      isCorrection={props.isCorrection === true}
      step={paging.step}
      isReview={paging.isReviewing}
      isFixed={props.isAway === true}
      written={filling.written}
      turnTo={paging.turnToStep}
    />
  );
  if (props.isAway) return followers;
  const line = isConsentShown && <StandingLine consent={consent!} ask={filling.askAgain} />;
  const overview = { form, language, presets, people: help.people, open: paging.openQuestion };
  const name = form.plain(inLanguage(definition.title, language), form.root);
  return (
    <>
      {followers}
      <FormHeader {...{ name, language, paging, keeper }}>
        <SaveLine saveState={filling.saveState} isTrial={props.isTrial ?? !keeper.hide} />
        <FormLanguage codes={languages} language={language} choose={setLanguage} />
      </FormHeader>
      {!isOverview && <Progress share={(here + 1) / pages.length} />}
      <main
        class="screen form"
        id="main"
        key={isOverview ? OVERVIEW : here}
        lang={language}
        dir={directionOf(language)}
      >
        {banner}
        {notice && (
          <p class="state" role="status">
            {notice}
          </p>
        )}
        {isOverview ? (
          <OverviewLater {...overview} title={t("This is what you send")}>
            {line}
          </OverviewLater>
        ) : (
          <>
            {line}
            <PageView session={session} page={pages[here]!} />
          </>
        )}
        <button type="button" class="link more" onClick={() => void paging.discard()}>
          {t("Delete the draft")}
        </button>
      </main>
      <footer class="foot pair">
        {filling.saveState === "failed" && (
          <p class="error" role="alert">
            {t("Not saved: this phone is out of room. Free some space, then change an answer.")}
          </p>
        )}
        <div class="buttons">
          <Buttons paging={paging} />
        </div>
      </footer>
    </>
  );
}

interface FormHeaderProps {
  name: string;
  language: string;
  paging: ReturnType<typeof usePaging>;
  keeper: Keeper;
  children: [ComponentChildren, ComponentChildren]; // how it is saved; the languages
}

/** Where one is in the form, the way out, and *Hide*. */
function FormHeader({ name, language, paging, keeper, children }: FormHeaderProps) {
  const { pages, here, isOverview } = paging;
  const [saved, languages] = children;
  return (
    <header class="top">
      <button type="button" class="link" onClick={() => void paging.leave()}>
        ‹ <span class="hidden">{name}</span>
      </button>
      <div class="at">
        {!isOverview && <PageTitle key={here} {...{ name, language }} page={pages[here]!} />}
        <p class="soft">
          {name} {!isOverview && <PageNumber here={here} count={pages.length} />}
        </p>
        {saved}
      </div>
      {keeper.hide && (
        <button type="button" class="hide" onClick={keeper.hide}>
          {t("Hide")}
        </button>
      )}
      {languages}
    </header>
  );
}

function PageNumber({ here, count }: { here: number; count: number }) {
  return <span>· {t("{page} of {count}", { page: here + 1, count })}</span>;
}

interface PageTitleProps {
  name: string; // of the form: labels of pages may show answers, which no history is to keep
  page: Page;
  language: string;
}

function PageTitle({ name, page, language }: PageTitleProps) {
  return (
    <Title name={name}>
      <span lang={language} dir={directionOf(language)}>
        {page.label || t("Questions")}
      </span>
    </Title>
  );
}

/** Back, on, and to the overview as soon as nothing is missing. */
function Buttons({ paging }: { paging: ReturnType<typeof usePaging> }) {
  const { here, isOverview, isLast, leadsToOverview, isFinishing, turnTo, goBack, goOn } = paging;
  const canLookOver = !isLast && !leadsToOverview && paging.isAllThere();
  const goesOnTo = leadsToOverview ? t("Look it over") : t("Next");
  return (
    <>
      <button type="button" class="btn" disabled={!isOverview && here === 0} onClick={goBack}>
        {t("Back")}
      </button>
      {canLookOver && (
        <button type="button" class="btn" onClick={() => turnTo(OVERVIEW)}>
          {t("Look it over")}
        </button>
      )}
      <button type="button" class="btn main" disabled={isFinishing} onClick={goOn}>
        {isLast ? t("Finish") : goesOnTo}
      </button>
    </>
  );
}

function Progress({ share }: { share: number }) {
  return (
    <div class="bar" aria-hidden="true">
      <i style={{ inlineSize: `${100 * share}%` }} />
    </div>
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
  const { node, repeat } = page;
  const common = { session, node, place: findPlace(page), depth: 1 };
  if (repeat) return <RepeatView {...common} name={repeat} Instance={GroupView} />;
  return <GroupView {...common} />;
}

/** Where the newest answer is, in words. */
function SaveLine({ saveState, isTrial }: { saveState: SaveState; isTrial: boolean }) {
  const words = {
    saved: isTrial ? t("A test: nothing is saved") : t("Saved on this phone"),
    saving: t("Saving …"),
    failed: "",
  };
  return (
    <p class="soft" role="status">
      {words[saveState]}
    </p>
  );
}
