/** Going through the pages of a form: none is left with a problem on it, and the last leads out. */

import { useRef, useState } from "preact/hooks";
import type { Form } from "../../engine/form";
import { t } from "../../i18n";
import type { DraftWriter } from "./draft_writer";
import { listPages, listProblemPlaces, type Page } from "./form_pages";
import type { Keeper } from "./keeper";

interface Paging {
  pages: Page[];
  here: number;
  shown: ReadonlySet<string>; // questions whose problems may show
  isFinishing: boolean;
  turnTo: (page: number) => void;
  goOn: () => void;
  leave: () => Promise<void>;
  discard: () => Promise<void>;
}

interface PagingProps {
  form: Form;
  language: string;
  keeper: Keeper;
  writer: DraftWriter;
  place: { current: number }; // the page that the next write notes
}

/** Bring a question into view, and the cursor into it. */
function showQuestion(place: string): void {
  const set = document.getElementById(`q-${place}-set`);
  set?.scrollIntoView({ block: "start" });
  const field = set?.querySelector<HTMLElement>("input, select, textarea, button");
  field?.focus({ preventScroll: true });
}

export function usePaging({ form, language, keeper, writer, place }: PagingProps): Paging {
  const [page, setPage] = useState(place.current);
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const [isFinishing, setFinishing] = useState(false);
  const isBusy = useRef(false);
  const pages = listPages(form, language);
  const here = Math.min(page, pages.length - 1);

  const turnTo = (to: number): void => {
    setPage(to);
    place.current = to;
    writer.touch();
    void writer.write();
  };
  const showProblems = (places: string[]): void => {
    setShown(new Set([...shown, ...places]));
    setTimeout(() => showQuestion(places[0]!));
  };
  const finish = async (): Promise<void> => {
    if (isBusy.current) return; // a second tap, before the button could be drawn as off
    const answers = form.finish();
    const problems = listPages(form, language).map((each) =>
      listProblemPlaces(form, each, language),
    );
    const wrong = problems.findIndex((places) => places.length > 0);
    if (wrong >= 0) {
      turnTo(wrong);
      return showProblems(problems[wrong]!);
    }
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
  const goOn = (): void => {
    const places = listProblemPlaces(form, pages[here]!, language);
    if (places.length > 0) showProblems(places);
    else if (here < pages.length - 1) turnTo(here + 1);
    else void finish();
  };
  return { pages, here, shown, isFinishing, turnTo, goOn, ...makeExits(keeper, writer) };
}

/** The ways out of a form that is not finished. */
function makeExits(keeper: Keeper, writer: DraftWriter): Pick<Paging, "leave" | "discard"> {
  return {
    leave: async () => {
      await writer.writeIfTouched();
      await writer.close();
      await keeper.close();
      keeper.exit();
    },
    discard: async () => {
      if (!confirm(t("Delete this? This cannot be undone."))) return;
      writer.touch();
      await writer.close();
      await keeper.discard();
      keeper.exit();
    },
  };
}
