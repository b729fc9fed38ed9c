/** The pages of a form being filled in: one group a screen or all on one, saved at every answer. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type FormDefinition, inLanguage } from "../../engine/definition";
import { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import type { Json, Who } from "../../engine/types";
import { DateValue } from "../../engine/values";
import { currentLanguage, directionOf, nameOfLanguage, t } from "../../i18n";
import type { Help } from "../../widgets/props";
import { Branch, type Filling, Repeat } from "../../widgets/question";
import { Title } from "../title";

const PAUSE = 300; // milliseconds after a keystroke before it is written

export const phoneClock = (): DateValue => DateValue.ofClock(new Date());

/** Where answers go: the phone's sealed store, or nowhere when a form is only tried out. */
export interface Keeper {
  save(page: number, answers: Json): Promise<void>;
  /** Keep the finished answers; whatever comes after them on the screen is the keeper's. */
  finish(answers: Json, form: Form): Promise<void>;
  /** The pages are gone, or about to go, unfinished. */
  close(): Promise<void>;
  discard(): Promise<void>;
  /** Show something else. */
  exit(): void;
  /** Show nothing of it, at once; null where there is nothing to hide. */
  hide: (() => void) | null;
}

type Page = { label: string; node: AnswerNode; repeat: string };

/** The pages of a form: each group, repeat or question at its top that is relevant now; or all on one page. */
function pagesOf(form: Form, language: string): Page[] {
  if (form.definition.style !== "pages") return [{ label: "", node: form.root, repeat: "" }];
  const pages = form.elementsOf(form.root).flatMap((element) => {
    const label = form.plain(inLanguage(element.label, language), form.root);
    if (element.kind === "repeat") return [{ label, node: form.root, repeat: element.name }];
    const node = form.root.childrenNamed(element.name)[0];
    const isShown = node?.isRelevant && !["calculate", "hidden", "metadata"].includes(element.type);
    return node && isShown ? [{ label, node, repeat: "" }] : [];
  });
  return pages.length > 0 ? pages : [{ label: "", node: form.root, repeat: "" }];
}

const placeOf = (page: Page): string => (page.repeat ? page.repeat : page.node.where());

interface PagesProps {
  definition: FormDefinition;
  answers: Json | null; // null: a form that is begun, with its defaults
  seeds?: Record<string, string>; // first answers of a form that is begun: path → text
  page: number;
  notice?: string;
  who: Who;
  keeper: Keeper;
  help: Help;
}

export function Pages({
  definition,
  answers,
  seeds,
  page: first,
  notice,
  who,
  keeper,
  help,
}: PagesProps) {
  const [language, setLanguage] = useState(() => {
    const known = definition.languages;
    return known.includes(currentLanguage()) ? currentLanguage() : (known[0] ?? "en");
  });
  const form = useMemo(() => new Form(definition, phoneClock, answers, seeds, who), []);
  const [, redraw] = useState(0);
  const [page, setPage] = useState(first);
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const [saved, setSaved] = useState<"saved" | "saving" | "failed">("saved");
  const [isFinishing, setFinishing] = useState(false);
  const timer = useRef(0);
  const isGone = useRef(false);
  const isBusy = useRef(false);
  const isTouched = useRef(answers !== null);
  const edits = useRef(0);
  const place = useRef(first);
  const writes = useRef(Promise.resolve());
  const watchers = useMemo(() => new Map<AnswerNode, Set<() => void>>(), []);
  const pages = pagesOf(form, language);
  const here = Math.min(page, pages.length - 1);
  const current = pages[here]!;

  // One write after the other: an older one must never land on a newer one, nor on a draft that is finished.
  const write = (): Promise<void> => {
    clearTimeout(timer.current);
    writes.current = writes.current.then(async () => {
      if (isGone.current) return;
      const written = edits.current;
      try {
        await keeper.save(place.current, form.toJson());
        if (written === edits.current) setSaved("saved"); // not while a newer answer waits to be written
      } catch {
        setSaved("failed");
      }
    });
    return writes.current;
  };
  const settle = (): Promise<void> => {
    isGone.current = true;
    clearTimeout(timer.current);
    return writes.current;
  };
  const changed = (): void => {
    isTouched.current = true;
    edits.current++;
    setSaved("saving");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void write(), PAUSE) as unknown as number;
  };
  useEffect(() => {
    form.onChange = (nodes) => {
      for (const node of nodes) for (const draw of watchers.get(node) ?? []) draw();
      for (const node of nodes) if (node.depth === 2) return redraw((n) => n + 1); // pages may come and go
    };
    const hide = (): void => {
      if (isTouched.current) void write();
    };
    document.addEventListener("visibilitychange", hide);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      if (isTouched.current && !isGone.current) void write().then(() => keeper.close());
    };
  }, []);

  const filling: Filling = useMemo(
    () => ({
      form,
      language,
      shown,
      help,
      watch: (node, draw) => {
        let all = watchers.get(node);
        if (!all) watchers.set(node, (all = new Set()));
        all.add(draw);
        return () => all.delete(draw);
      },
      change: (node, text) => {
        form.set(node, text);
        changed();
      },
      add: (parent, name) => {
        form.addInstance(
          parent,
          form.elementsOf(parent).find((one) => one.name === name)!,
        );
        changed();
      },
      drop: (node) => {
        form.removeInstance(node);
        changed();
      },
    }),
    [language, shown],
  );
  const problemsOf = (at: Page): string[] => {
    const roots = at.repeat ? at.node.childrenNamed(at.repeat) : [at.node];
    return roots.flatMap((node) => form.problems(node, language)).map(([node]) => node.where());
  };
  const turn = (to: number): void => {
    setPage(to);
    place.current = to;
    isTouched.current = true;
    void write();
  };
  const next = (): void => {
    const wrong = problemsOf(current);
    if (wrong.length > 0) return showProblems(wrong);
    if (here < pages.length - 1) return turn(here + 1);
    void finish();
  };
  const showProblems = (wrong: string[]): void => {
    setShown(new Set([...shown, ...wrong]));
    setTimeout(() => {
      const set = document.getElementById(`q-${wrong[0]}-set`);
      set?.scrollIntoView({ block: "start" });
      set
        ?.querySelector<HTMLElement>("input, select, textarea, button")
        ?.focus({ preventScroll: true });
    });
  };
  const finish = async (): Promise<void> => {
    if (isBusy.current) return; // a second tap, before the button could be drawn as off
    const done = form.finish();
    const wrong = pagesOf(form, language).findIndex((one) => problemsOf(one).length > 0);
    if (wrong >= 0) {
      turn(wrong);
      return showProblems(problemsOf(pages[wrong]!));
    }
    isBusy.current = true;
    setFinishing(true);
    isTouched.current = true;
    await settle();
    try {
      await keeper.finish(done, form);
    } catch {
      isGone.current = isBusy.current = false;
      setFinishing(false);
      setSaved("failed");
    }
  };
  const leave = async (isDiscarded: boolean): Promise<void> => {
    if (isDiscarded) {
      if (!confirm(t("Throw this away? It cannot be brought back."))) return;
      isTouched.current = true;
      await settle();
      await keeper.discard();
      return keeper.exit();
    }
    if (isTouched.current) await write();
    await settle();
    await keeper.close();
    keeper.exit();
  };

  const words = {
    saved: keeper.hide ? t("Saved on this phone") : t("A try: nothing is kept"),
    saving: t("Saving …"),
    failed: t("Not saved: this phone is out of room. Free some space, then change an answer."),
  };
  return (
    <>
      <header class="top">
        <button type="button" class="link" onClick={() => void leave(false)}>
          ‹ {form.plain(inLanguage(definition.title, language), form.root)}
        </button>
        <span class="soft">{t("{page} of {count}", { page: here + 1, count: pages.length })}</span>
        {keeper.hide && (
          <button type="button" class="hide" onClick={keeper.hide}>
            {t("Hide")}
          </button>
        )}
        {definition.languages.some((code) => code !== "en" && code !== "fr") && (
          <select
            aria-label={t("Language of the questions")}
            value={language}
            onChange={(event) => setLanguage((event.target as HTMLSelectElement).value)}
          >
            {definition.languages.map((code) => (
              <option key={code} value={code}>
                {nameOfLanguage(code)}
              </option>
            ))}
          </select>
        )}
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
        <Title>{current.label || t("Questions")}</Title>
        {current.repeat ? (
          <Repeat
            filling={filling}
            node={current.node}
            name={current.repeat}
            place={placeOf(current)}
            depth={1}
          />
        ) : (
          <Branch filling={filling} node={current.node} place={placeOf(current)} depth={1} />
        )}
        <button type="button" class="link more" onClick={() => void leave(true)}>
          {t("Throw this away")}
        </button>
      </main>
      <footer class="foot pair">
        <p class={saved === "failed" ? "error" : "soft"} role="status">
          {words[saved]}
        </p>
        <div class="buttons">
          <button type="button" class="btn" disabled={here === 0} onClick={() => turn(here - 1)}>
            {t("Back")}
          </button>
          <button type="button" class="btn main" disabled={isFinishing} onClick={next}>
            {here < pages.length - 1 ? t("Next") : t("Finish")}
          </button>
        </div>
      </footer>
    </>
  );
}
