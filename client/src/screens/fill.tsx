/** Fill in a form: one group a screen, saved at every answer. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { inLanguage, type FormDefinition } from "../engine/definition";
import { Form, type AnswerNode, type Json } from "../engine/form";
import { DateValue } from "../engine/values";
import { currentLanguage, nt, t } from "../i18n";
import { formOf } from "../storage/forms";
import { discardDraft, finishDraft, openDraft, saveDraft, type Draft } from "../storage/records";
import { keepAccount } from "../storage/vault";
import { Branch, Repeat, type Filling } from "../widgets/question";
import { DataState, Tabs, Title } from "./parts";
import { go, useApp } from "./state";

const PAUSE = 300; // milliseconds after a keystroke before it is written

const phoneClock = (): DateValue => DateValue.ofClock(new Date());

/** Start a draft of the current version of a form, with last answers where the form asks for them. */
export function Start({ id }: { id: string }) {
  const { vault, forms } = useApp();
  const definition = forms.find((form) => form.id === id);
  useEffect(() => {
    if (!definition) return;
    const remembered = vault.account.remembered[id] ?? {};
    const form = new Form(definition, phoneClock, null, remembered);
    const draft: Draft = {
      id: crypto.randomUUID(),
      form: id,
      version: definition.version,
      changedAt: Date.now(),
      page: 0,
      answers: form.toJson(),
    };
    void saveDraft(vault, draft).then(() => location.replace(`#/fill/${draft.id}/new`));
  }, [definition]);
  return definition ? null : <NotHere />;
}

function NotHere() {
  return (
    <>
      <main class="screen" id="main">
        <Title>{t("This is not on the phone")}</Title>
        <p>{t("It was finished, or thrown away, or belongs to somebody else.")}</p>
      </main>
      <Tabs here="today" />
    </>
  );
}

export function Fill({ id, isFresh }: { id: string; isFresh: boolean }) {
  const { vault } = useApp();
  const [found, setFound] = useState<{ draft: Draft; definition: FormDefinition } | "missing" | null>(null);
  useEffect(() => {
    void (async () => {
      const draft = await openDraft(vault, id);
      const definition = draft && (await formOf(vault.account.user, draft.form, draft.version));
      setFound(draft && definition ? { draft, definition } : "missing");
    })();
  }, [id]);
  if (found === "missing") return <NotHere />;
  return found && <Pages key={id} {...found} isFresh={isFresh} />;
}

type Page = { label: string; node: AnswerNode; repeat: string };

/** The pages of a form: each group, repeat or question at its top that is relevant now; or all on one page. */
function pagesOf(form: Form, language: string): Page[] {
  if (form.definition.style !== "pages") return [{ label: "", node: form.root, repeat: "" }];
  return form.elementsOf(form.root).flatMap((element) => {
    const label = form.plain(inLanguage(element.label, language), form.root);
    if (element.kind === "repeat") return [{ label, node: form.root, repeat: element.name }];
    const node = form.root.childrenNamed(element.name)[0];
    return node?.isRelevant && !element.calculate ? [{ label, node, repeat: "" }] : [];
  });
}

type PagesProps = { draft: Draft; definition: FormDefinition; isFresh: boolean };

function Pages({ draft, definition, isFresh }: PagesProps) {
  const { vault, refresh, exchange } = useApp();
  const language = currentLanguage();
  const form = useMemo(() => new Form(definition, phoneClock, draft.answers), []);
  const [, redraw] = useState(0);
  const [page, setPage] = useState(draft.page);
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const [saved, setSaved] = useState<"saved" | "saving" | "failed">("saved");
  const [isFinishing, setFinishing] = useState(false);
  const timer = useRef(0);
  const isGone = useRef(false);
  const isTouched = useRef(!isFresh);
  const place = useRef(draft.page);
  const writes = useRef(Promise.resolve());
  const pages = pagesOf(form, language);
  const here = Math.min(page, pages.length - 1);
  const current = pages[here]!;

  // One write after the other: an older one must never land on a newer one, nor on a draft that is finished.
  const write = (): Promise<void> => {
    clearTimeout(timer.current);
    writes.current = writes.current.then(async () => {
      if (isGone.current) return;
      try {
        await saveDraft(vault, { ...draft, changedAt: Date.now(), page: place.current, answers: form.toJson() });
        setSaved("saved");
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
    redraw((n) => n + 1);
    setSaved("saving");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void write(), PAUSE) as unknown as number;
  };
  useEffect(() => {
    const hide = (): void => void write();
    document.addEventListener("visibilitychange", hide);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      if (isTouched.current) void write().then(refresh);
      else
        void settle()
          .then(() => discardDraft(draft.id))
          .then(refresh); // opened and left again: nothing to keep
    };
  }, []);

  const filling: Filling = {
    form,
    language,
    shown,
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
  };
  const problemsOf = (at: Page): string[] => {
    const roots = at.repeat ? at.node.childrenNamed(at.repeat) : [at.node];
    return roots.flatMap((node) => form.problems(node, language)).map(([node]) => node.where());
  };
  const turn = (to: number): void => {
    setPage(to);
    place.current = to;
    isTouched.current = true;
    void write();
    scrollTo(0, 0);
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
      set?.querySelector<HTMLElement>("input, select, textarea, button")?.focus({ preventScroll: true });
    });
  };
  const finish = async (): Promise<void> => {
    if (isFinishing) return;
    const answers = form.finish();
    const wrong = pagesOf(form, language).findIndex((one) => problemsOf(one).length > 0);
    if (wrong >= 0) {
      turn(wrong);
      return showProblems(problemsOf(pages[wrong]!));
    }
    setFinishing(true);
    isTouched.current = true;
    await settle();
    try {
      await finishDraft(vault, { ...draft, answers }, new Date());
    } catch {
      isGone.current = false;
      setFinishing(false);
      return setSaved("failed");
    }
    await remember(answers);
    await refresh();
    go(`/saved/${draft.form}/${hasReferral(answers) ? "referral" : "done"}`);
    void exchange();
  };
  const remember = async (answers: Json): Promise<void> => {
    const kept: Record<string, string> = {};
    for (const element of definition.elements) {
      if (!(element.appearance ?? "").includes("last-used")) continue;
      const [group, name] = element.path.split("/").slice(2);
      const value = name ? (answers[group!] as Json | undefined)?.[name] : answers[group!];
      if (typeof value === "string") kept[element.path] = value;
    }
    vault.account.remembered[definition.id] = kept;
    await keepAccount(vault).catch(() => undefined); // only a convenience
  };
  const leave = async (isDiscarded: boolean): Promise<void> => {
    if (isDiscarded) {
      if (!confirm(t("Throw this away? It cannot be brought back."))) return;
      isTouched.current = true;
      await settle();
      await discardDraft(draft.id);
    } else if (isTouched.current) await write();
    else await settle().then(() => discardDraft(draft.id));
    await refresh();
    go("/today");
  };

  const words = {
    saved: t("Saved on this phone"),
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
      </header>
      <main class="screen" id="main" key={here}>
        <div class="bar" aria-hidden="true">
          <i style={{ inlineSize: `${(100 * (here + 1)) / pages.length}%` }} />
        </div>
        <Title>{current.label || t("Questions")}</Title>
        {current.repeat ? (
          <Repeat filling={filling} parent={current.node} name={current.repeat} />
        ) : (
          <Branch filling={filling} node={current.node} />
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

function hasReferral(answers: Json): boolean {
  return Object.values(answers).some(
    (group) => typeof group === "object" && !Array.isArray(group) && group["ref_made"] === "yes",
  );
}

export function Saved({ form, then }: { form: string; then: string }) {
  const { ledger, forms } = useApp();
  return (
    <>
      <main class="screen" id="main">
        <div class="done" aria-hidden="true">
          ✓
        </div>
        <div class="center">
          <Title>{ledger.waiting > 0 ? t("Saved on this phone") : t("Safe with the centre")}</Title>
        </div>
        <DataState />
        <section class="card">
          <dl class="ledger">
            <div>
              <dt>{t("Made on this phone")}</dt>
              <dd>{ledger.made}</dd>
            </div>
            <div>
              <dt>{t("Safe with the centre")}</dt>
              <dd>{ledger.delivered + ledger.kept}</dd>
            </div>
            <div>
              <dt>{t("Waiting here")}</dt>
              <dd>{ledger.waiting}</dd>
            </div>
            <div>
              <dt>{t("Lost")}</dt>
              <dd>{ledger.lost}</dd>
            </div>
          </dl>
        </section>
        <p class="hidden" role="status">
          {nt("{n} record", "{n} records", ledger.made)}
        </p>
      </main>
      <footer class="foot">
        {then === "referral" && forms.some((one) => one.id === "referral") && (
          <a class="btn main wide" href="#/start/referral">
            {t("Log the referral")}
          </a>
        )}
        <a class={then === "referral" ? "btn wide" : "btn main wide"} href={`#/start/${form}`}>
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
