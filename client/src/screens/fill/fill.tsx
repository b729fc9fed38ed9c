/** Log something: begin, fill in, finish. A draft is written with the first answer; one that was never touched never was. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { newCode, plainCode } from "../../engine/cards";
import type { Ast, FormDefinition } from "../../engine/definition";
import type { Json, Who } from "../../engine/types";
import { fits } from "../../engine/draft_migration";
import { t } from "../../i18n";
import { random } from "../../storage/bytes";
import { areaLists, formOf, outlinesOf } from "../../storage/forms";
import { hasRoomFor } from "../../storage/health";
import { discardDraft, type Draft, openDraft, saveDraft } from "../../storage/drafts";
import { finishDraft } from "../../storage/outbox";
import { saveAccount, type Vault } from "../../storage/vault";
import type { Help } from "../../widgets/props";
import { type Keeper, Pages } from "./pages";
import { DataState, LedgerList, Tabs, Top } from "../parts";
import { go, useApp } from "../state";
import { Title } from "../title";

function NotHere({ title, text }: { title: string; text: string }) {
  return (
    <>
      <main class="screen" id="main">
        <Title>{title}</Title>
        <p>{text}</p>
      </main>
      <Tabs here="today" />
    </>
  );
}

/** What rows of type username and deviceid hold: the worker's sign-in name, and a number that this phone made up. */
function whoOf(vault: Vault): Who {
  let deviceid = localStorage.getItem("fieldapp.phone");
  if (!deviceid) localStorage.setItem("fieldapp.phone", (deviceid = crypto.randomUUID()));
  return { username: vault.account.username, deviceid };
}

/** One tab at a time works on a draft: two would write over each other. */
function useDraftLock(id: string, isNew: boolean): "mine" | "elsewhere" | null {
  const [state, setState] = useState<"mine" | "elsewhere" | null>(
    navigator.locks && !isNew ? null : "mine",
  );
  useEffect(() => {
    if (!navigator.locks) return;
    let release = (): void => undefined;
    void navigator.locks.request(`fieldapp-draft-${id}`, { ifAvailable: true }, (lock) => {
      setState(lock ? "mine" : "elsewhere");
      return lock ? new Promise<void>((done) => (release = done)) : undefined;
    });
    return () => release();
  }, [id]);
  return state;
}

/** First answers that come from where the worker tapped: whose card, and what kind of contact ("CODE|kind"). */
function seedsOf(definition: FormDefinition, given: string): Record<string, string> {
  const [code = "", kind = ""] = given.split("|");
  const seeds: Record<string, string> = {};
  const person = definition.elements.find(
    (element) => element.path === definition.summary["person"],
  );
  if (person && plainCode(code)) {
    seeds[person.path] = plainCode(code);
    Object.assign(seeds, wanted(definition, person.relevant));
  }
  const about = definition.elements.find((element) => element.path === definition.summary["kind"]);
  if (about && definition.choices[about.choices ?? ""]?.some((choice) => choice.name === kind))
    seeds[about.path] = kind;
  return seeds;
}

/** The answer that makes a condition of the form ${who} = 'enrolled' true. */
function wanted(definition: FormDefinition, relevant: Ast | undefined): Record<string, string> {
  if (relevant?.[0] !== "op" || relevant[1] !== "=") return {};
  const [, , left, right] = relevant;
  if (left[0] !== "path" || right[0] !== "s") return {};
  const name = left[2].at(-1)?.[1];
  const element = definition.elements.find((one) => one.name === name && one.kind === "question");
  return element ? { [element.path]: right[1] } : {};
}

/** A new draft of the current version of a form, with last answers where the form asks for them. */
export function Start({ id, about, due }: { id: string; about: string; due: string }) {
  const { vault, forms } = useApp();
  const definition = forms.find((form) => form.id === id);
  const draft = useMemo<Draft>(
    () => ({
      id: crypto.randomUUID(),
      form: id,
      version: definition?.version ?? "",
      changedAt: Date.now(),
      page: 0,
      answers: {},
      ...(due ? { due } : {}),
    }),
    [],
  );
  if (!definition)
    return (
      <NotHere
        title={t("This form is not on the phone")}
        text={t("It was withdrawn, or has not come yet. Send and fetch when there is signal.")}
      />
    );
  const seeds = { ...vault.account.remembered[id], ...seedsOf(definition, about) };
  return <Draft draft={draft} definition={definition} notice="" seeds={seeds} isNew />;
}

type Found = { draft: Draft; definition: FormDefinition; notice: string };

export function Fill({ id }: { id: string }) {
  const { vault, forms } = useApp();
  const [found, setFound] = useState<Found | "missing" | null>(null);
  useEffect(() => {
    void (async () => {
      const draft = await openDraft(vault, id).catch(() => null);
      const newest = forms.find((form) => form.id === draft?.form);
      const own = draft && (await formOf(vault.account.user, draft.form, draft.version));
      const definition = own ?? (draft?.root ? newest : null); // a record from before this phone had the form
      if (!draft || !definition) return setFound("missing");
      draft.version = definition.version;
      if (!newest || newest.version === draft.version)
        return setFound({ draft, definition, notice: "" });
      // A newer version came while this was open: go on under it where every answer still has its place.
      if (fits(draft.answers, definition, newest)) {
        const notice = t("This form has changed. Your answers came along.");
        return setFound({
          draft: { ...draft, version: newest.version },
          definition: newest,
          notice,
        });
      }
      const notice = t("This form has changed. You finish this one as it was when you began it.");
      setFound({ draft, definition, notice });
    })();
  }, [id]);
  if (found === "missing")
    return (
      <NotHere
        title={t("This is not on the phone")}
        text={t("It was finished, or thrown away, or belongs to somebody else.")}
      />
    );
  return found && <Draft key={id} {...found} seeds={{}} isNew={false} />;
}

function Draft({
  draft,
  definition,
  notice,
  seeds,
  isNew,
}: Found & { seeds: Record<string, string>; isNew: boolean }) {
  const { vault, refresh, exchange, book, hide } = useApp();
  const lock = useDraftLock(draft.id, isNew);
  const minted = useRef(draft.minted ?? []);
  const keeper: Keeper = useMemo(
    () => ({
      save: async (page, answers) => {
        await saveDraft(vault, {
          ...draft,
          changedAt: Date.now(),
          page,
          answers,
          minted: minted.current,
        });
        // Now it has an address: after a reload the worker is where they were.
        if (location.hash.startsWith("#/start/"))
          history.replaceState(null, "", `#/fill/${draft.id}`);
      },
      finish: async (answers, form) => {
        const finished = { ...draft, answers, minted: minted.current };
        await finishDraft(vault, finished, definition, new Date(), form.refusedBy());
        await remember(vault, definition, answers);
        await refresh();
        go(`/saved/${draft.form}/${hasReferral(answers) ? "referral" : "done"}`);
        void exchange();
      },
      close: refresh,
      discard: async () => {
        await discardDraft(draft.id);
        await refresh();
      },
      exit: () => go("/today"),
      hide,
    }),
    [draft],
  );
  const help: Help = useMemo(
    () => ({
      people: book.people.map(({ code, label }) => ({ code, label })),
      newCard: () => {
        const code = newCode(random(8));
        minted.current = [...minted.current, code];
        return code;
      },
      areaLists: () => areaLists(vault.account.user),
      outlines: (list) => outlinesOf(vault.account.user, list),
      hasRoom: hasRoomFor,
      hasVoiceNotes: vault.account.rules.voice_notes,
    }),
    [book],
  );
  if (lock === "elsewhere")
    return (
      <NotHere
        title={t("This is open in another tab")}
        text={t("Go on there, or close the other tab and open it here again.")}
      />
    );
  if (!lock) return null;
  return (
    <Pages
      definition={definition}
      answers={isNew ? null : draft.answers}
      seeds={seeds}
      page={draft.page}
      notice={notice}
      who={whoOf(vault)}
      keeper={keeper}
      help={help}
    />
  );
}

async function remember(vault: Vault, definition: FormDefinition, answers: Json): Promise<void> {
  const kept = { ...vault.account.remembered[definition.id] }; // a record without them takes nothing away
  for (const element of definition.elements) {
    if (!(element.appearance ?? "").includes("last-used")) continue;
    const [group, name] = element.path.split("/").slice(2);
    const value = name ? (answers[group!] as Json | undefined)?.[name] : answers[group!];
    if (typeof value === "string") kept[element.path] = value;
  }
  vault.account.remembered[definition.id] = kept;
  await saveAccount(vault).catch(() => undefined); // only a convenience
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
      <Top title={ledger.waiting > 0 ? t("Saved on this phone") : t("At the centre")} />
      <main class="screen" id="main">
        <div class={ledger.waiting > 0 ? "done wait" : "done"} aria-hidden="true">
          ✓
        </div>
        <DataState />
        <section class="card">
          <LedgerList />
        </section>
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
