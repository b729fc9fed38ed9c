/** Log something: start a draft, fill it in, finish it. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import { Form, type Json, type Who } from "../engine/form";
import { fits } from "../engine/migrate";
import { nt, t } from "../i18n";
import { formOf } from "../storage/forms";
import { discardDraft, finishDraft, openDraft, saveDraft, type Draft } from "../storage/records";
import { keepAccount, type Vault } from "../storage/vault";
import { Pages, phoneClock, type Keeper } from "./pages";
import { DataState, Tabs, Title } from "./parts";
import { go, useApp } from "./state";

/** Start a draft of the current version of a form, with last answers where the form asks for them. */
export function Start({ id }: { id: string }) {
  const { vault, forms } = useApp();
  const definition = forms.find((form) => form.id === id);
  useEffect(() => {
    if (!definition) return;
    const remembered = vault.account.remembered[id] ?? {};
    const form = new Form(definition, phoneClock, null, remembered, whoOf(vault));
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

/** What rows of type username and deviceid hold: the worker's sign-in name, and a number that this phone made up. */
function whoOf(vault: Vault): Who {
  let deviceid = localStorage.getItem("fieldapp.phone");
  if (!deviceid) localStorage.setItem("fieldapp.phone", (deviceid = crypto.randomUUID()));
  return { username: vault.account.username, deviceid };
}

type Found = { draft: Draft; definition: FormDefinition; notice: string };

export function Fill({ id, isFresh }: { id: string; isFresh: boolean }) {
  const { vault, forms } = useApp();
  const [found, setFound] = useState<Found | "missing" | null>(null);
  useEffect(() => {
    void (async () => {
      const draft = await openDraft(vault, id);
      const definition = draft && (await formOf(vault.account.user, draft.form, draft.version));
      if (!draft || !definition) return setFound("missing");
      const newest = forms.find((form) => form.id === draft.form);
      if (!newest || newest.version === draft.version) return setFound({ draft, definition, notice: "" });
      // A newer version came while this was open: go on under it where every answer still has its place.
      if (fits(draft.answers, definition, newest)) {
        const notice = t("This form has changed. Your answers came along.");
        return setFound({ draft: { ...draft, version: newest.version }, definition: newest, notice });
      }
      const notice = t("This form has changed. You finish this one as it was when you began it.");
      setFound({ draft, definition, notice });
    })();
  }, [id]);
  if (found === "missing") return <NotHere />;
  return found && <Draft key={id} {...found} isFresh={isFresh} />;
}

function Draft({ draft, definition, notice, isFresh }: Found & { isFresh: boolean }) {
  const { vault, refresh, exchange } = useApp();
  const keeper: Keeper = useMemo(
    () => ({
      save: async (page, answers) => {
        await saveDraft(vault, { ...draft, changedAt: Date.now(), page, answers });
        // No longer new: opened again after a reload, it is not to be thrown away when left without a change.
        if (location.hash.endsWith("/new")) history.replaceState(null, "", `#/fill/${draft.id}`);
      },
      finish: async (answers) => {
        await finishDraft(vault, { ...draft, answers }, new Date());
        await remember(vault, definition, answers);
        await refresh();
        go(`/saved/${draft.form}/${hasReferral(answers) ? "referral" : "done"}`);
        void exchange();
      },
      close: async (isWorthKeeping) => {
        if (!isWorthKeeping) await discardDraft(draft.id);
        await refresh();
      },
      discard: async () => {
        await discardDraft(draft.id);
        await refresh();
      },
      exit: () => go("/today"),
    }),
    [draft],
  );
  return (
    <Pages
      definition={definition}
      answers={draft.answers}
      page={draft.page}
      isFresh={isFresh}
      notice={notice}
      who={whoOf(vault)}
      keeper={keeper}
    />
  );
}

async function remember(vault: Vault, definition: FormDefinition, answers: Json): Promise<void> {
  const kept: Record<string, string> = {};
  for (const element of definition.elements) {
    if (!(element.appearance ?? "").includes("last-used")) continue;
    const [group, name] = element.path.split("/").slice(2);
    const value = name ? (answers[group!] as Json | undefined)?.[name] : answers[group!];
    if (typeof value === "string") kept[element.path] = value;
  }
  vault.account.remembered[definition.id] = kept;
  await keepAccount(vault).catch(() => undefined); // only a convenience
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
