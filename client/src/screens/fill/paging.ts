/**
 * Going through the pages of a form: none is left with a problem on it, and the last leads to where
 * all is looked over.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Form } from "../../engine/form";
import { OVERVIEW } from "../../storage/types";
import { t } from "../../i18n";
import type { DraftWriter } from "./draft_writer";
import {
  findFirstPage,
  findPageOf,
  hasProblem,
  listPages,
  listProblemPlaces,
  type Page,
} from "./form_pages";
import { readEntry } from "./history";
import type { Keeper } from "./keeper";

interface Paging {
  pages: Page[];
  here: number;
  isOverview: boolean;
  isLast: boolean; // the main button finishes
  leadsToOverview: boolean; // the main button leads there
  isReviewing: boolean; // the page was opened from the overview
  shown: ReadonlySet<string>; // questions whose problems may show
  isFinishing: boolean;
  /** Whether nothing is missing, on any page. */
  isAllThere: () => boolean;
  /** How many pages Back leads through; the overview comes after all of them. */
  step: number;
  turnTo: (page: number) => void;
  turnToStep: (step: number, isReview: boolean) => void;
  goOn: () => void;
  goBack: () => void;
  /** Go from the overview to a question, and back with one tap. */
  openQuestion: (page: number, place: string) => void;
  leave: () => Promise<void>;
  discard: () => Promise<void>;
}

interface PagingProps {
  form: Form;
  language: string;
  keeper: Keeper;
  writer: DraftWriter;
  place: { current: number }; // the page that the next write notes
  isNew: boolean; // it begins where something is missing
  at: string; // place of the question to begin with, or ""
}

const MOST_QUESTIONS = 300; // of a form in which it is looked at each answer whether all is there

/** Bring a question into view, and the cursor into it. */
function showQuestion(place: string): void {
  const set = document.getElementById(`q-${place}-set`);
  set?.scrollIntoView({ block: "start" });
  const field = set?.querySelector<HTMLElement>("input, select, textarea, button");
  field?.focus({ preventScroll: true });
}

/** Bring the first line with a problem into view. */
function showLine(place: string): void {
  const line = document.getElementById(`line-${place}`);
  line?.scrollIntoView({ block: "center" });
  line?.focus({ preventScroll: true });
}

/** The page to open a form at. */
function findStart({ form, language, place, isNew, at }: PagingProps): number {
  const pages = listPages(form, language);
  const named = at ? findPageOf(pages, at) : -1;
  if (named >= 0) return named;
  return isNew ? findFirstPage(form, pages) : place.current;
}

export function usePaging(props: PagingProps): Paging {
  const { form, language, keeper, writer, place } = props;
  const [page, setPage] = useState(() => (place.current = findStart(props)));
  const [shown, setShown] = useState<ReadonlySet<string>>(
    () => new Set(props.at ? [props.at] : []),
  );
  const [isReviewing, setReviewing] = useState(() => readEntry()?.isReview === true);
  const pages = listPages(form, language);
  const isOverview = page === OVERVIEW && pages.length > 1;
  const here = Math.min(page, pages.length - 1);
  const isLastPage = here === pages.length - 1;
  // After a no there is nothing to look over.
  const isLast = isOverview || pages.length === 1 || (isLastPage && form.isRefusal());
  const leadsToOverview = !isLast && (isReviewing || isLastPage);
  useEffect(() => {
    if (props.at) setTimeout(() => showQuestion(props.at)); // after the heading took the focus
  }, []);

  const turnTo = (to: number): void => {
    setPage(to);
    place.current = to;
    if (to === OVERVIEW) setReviewing(false);
    writer.touch();
    void writer.write();
  };
  const showProblems = (places: string[]): void => {
    setShown(new Set([...shown, ...places]));
    setTimeout(() => showQuestion(places[0]!));
  };
  const { finish, isFinishing } = useFinish(props, (places) => {
    if (pages.length === 1) return showProblems(places);
    setShown(new Set([...shown, ...places]));
    turnTo(OVERVIEW);
    setTimeout(() => showLine(places[0]!));
  });
  const goOn = (): void => {
    const places = listProblemPlaces(form, pages[here]!, language);
    if (isOverview) void finish();
    else if (places.length > 0) showProblems(places);
    else if (isLast) void finish();
    else turnTo(leadsToOverview ? OVERVIEW : here + 1);
  };
  return {
    pages,
    here,
    isOverview,
    isLast,
    leadsToOverview,
    isReviewing,
    shown,
    isFinishing,
    isAllThere: () =>
      form.definition.elements.length < MOST_QUESTIONS && !hasProblem(form, form.root),
    step: isOverview ? pages.length : here,
    turnTo,
    turnToStep: (step, isReview) => {
      turnTo(step < pages.length ? step : OVERVIEW);
      setReviewing(isReview);
    },
    goOn,
    goBack: () => turnTo(isOverview ? pages.length - 1 : here - 1),
    openQuestion: (to, question) => {
      turnTo(to);
      setReviewing(true);
      if (question) setTimeout(() => showQuestion(question));
    },
    ...makeExits(keeper, writer),
  };
}

/** Finish the form, once; `refuse` is told where there are problems instead. */
function useFinish(
  { form, language, keeper, writer }: PagingProps,
  refuse: (places: string[]) => void,
): { finish: () => Promise<void>; isFinishing: boolean } {
  const [isFinishing, setFinishing] = useState(false);
  const isBusy = useRef(false);
  const finish = async (): Promise<void> => {
    if (isBusy.current) return; // a second tap, before the button could be drawn as off
    const answers = form.finish();
    const places = listPages(form, language).flatMap((each) =>
      listProblemPlaces(form, each, language),
    );
    if (places.length > 0) return refuse(places);
    isBusy.current = true;
    setFinishing(true);
    writer.touch();
    await writer.close();
    try {
      await keeper.finish(answers, form);
    } catch {
      isBusy.current = false;
      setFinishing(false);
      writer.reopen();
    }
  };
  return { finish, isFinishing };
}

/** The ways out of a form that is not finished. */
function makeExits(keeper: Keeper, writer: DraftWriter): Pick<Paging, "leave" | "discard"> {
  return {
    leave: async () => {
      await writer.writeIfTouched();
      await writer.close();
      await keeper.close();
      keeper.exit(false);
    },
    discard: async () => {
      if (!confirm(t("Delete this? This cannot be undone."))) return;
      writer.touch();
      await writer.close();
      await keeper.discard();
      keeper.exit(true);
    },
  };
}
