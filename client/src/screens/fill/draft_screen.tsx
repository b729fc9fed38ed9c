/** A draft being filled in: where its answers go, and what the phone around it can help with. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { makeCardCode } from "../../engine/cards";
import type { FormDefinition } from "../../engine/definition";
import { saidYes } from "../../engine/slips";
import type { Form } from "../../engine/form";
import type { Json, Who } from "../../engine/types";
import { randomBytes } from "../../storage/bytes";
import { findIntake, findStanding } from "../../storage/caseload";
import { discardDraft, type Draft, isDraft, rewriteDraft, saveDraft } from "../../storage/drafts";
import { findOutlines, listAreaLists } from "../../storage/forms";
import { hasRoomFor } from "../../storage/health";
import { finishDraft } from "../../storage/outbox";
import { saveAccount, type Vault } from "../../storage/vault";
import { t } from "../../i18n";
import type { Help } from "../../widgets/props";
import { go, useApp } from "../state";
import { type Answers, collectLastAnswers, hasReferral } from "./initial_answers";
import { NotHere } from "./not_here";
import type { Keeper } from "./keeper";
import { Pages } from "./pages";
import { countUsual } from "./usual_answers";
import { type SlipOffer, SlipScreen, useSlipOffer } from "./slip_offer";

export interface LoadedDraft {
  draft: Draft;
  definition: FormDefinition;
  notice: string; // about a form that has changed since
}

type DraftProps = LoadedDraft & { seeds: Answers; isNew: boolean };

/** Who answers: the worker's sign-in name, and a random number that stands for this phone. */
function makeRespondent(vault: Vault): Who {
  let deviceid = localStorage.getItem("fieldapp.phone");
  if (!deviceid) {
    deviceid = crypto.randomUUID();
    localStorage.setItem("fieldapp.phone", deviceid);
  }
  return { username: vault.account.username, deviceid };
}

type Lock = "mine" | "elsewhere" | null; // null: not known yet

/** One tab at a time works on a draft: two would write over each other. */
function useDraftLock(id: string, isNew: boolean): Lock {
  const [state, setState] = useState<Lock>(navigator.locks && !isNew ? null : "mine");
  useEffect(() => {
    if (!navigator.locks) return;
    let release = (): void => undefined;
    const holdUntilReleased = (): Promise<void> => new Promise((done) => (release = done));
    void navigator.locks.request(`fieldapp-draft-${id}`, { ifAvailable: true }, (lock) => {
      setState(lock ? "mine" : "elsewhere");
      return lock ? holdUntilReleased() : undefined;
    });
    return () => release();
  }, [id]);
  return state;
}

async function saveLastAnswers(
  vault: Vault,
  definition: FormDefinition,
  answers: Json,
): Promise<void> {
  const { id } = definition;
  const { remembered, usual = {} } = vault.account;
  remembered[id] = collectLastAnswers(definition, answers, remembered[id]);
  vault.account.usual = { ...usual, [id]: countUsual(definition, answers, usual[id]) };
  await saveAccount(vault).catch(() => undefined); // only a convenience
}

/** Where the answers of a draft go: the phone's sealed store. */
function useKeeper(
  { draft, definition, isNew }: DraftProps,
  codes: { current: string[] },
  offer: SlipOffer,
): Keeper {
  const { vault, refresh, exchange, hide } = useApp();
  const lastPage = useRef(draft.page);
  const isStored = useRef(!isNew);
  return useMemo(() => {
    /** It was erased while it was open: its person took everything back, and Today says so. */
    const leaveErased = async (): Promise<void> => {
      await refresh();
      go("/today");
    };
    const save = async (page: number, answers: Json): Promise<void> => {
      lastPage.current = page;
      const changed = { ...draft, changedAt: Date.now(), page, answers, minted: codes.current };
      if (!isStored.current) await saveDraft(vault, changed);
      else if (!(await rewriteDraft(vault, changed))) return leaveErased();
      isStored.current = true;
      // Now it has an address: after a reload the worker is where they were.
      if (location.hash.startsWith("#/start/")) {
        history.replaceState(null, "", `#/fill/${draft.id}`);
      }
    };
    /** Offer a slip where one is due. Until they answer, the record is a draft, so none is lost. */
    const offerSlip = async (answers: Json): Promise<string> => {
      if (draft.root || !saidYes(definition, answers)) return "";
      await save(lastPage.current, answers);
      return offer.make();
    };
    const finish = async (answers: Json, form: Form): Promise<void> => {
      if (isStored.current && !(await isDraft(draft.id))) return leaveErased();
      try {
        const slip = await offerSlip(answers);
        const finished = { ...draft, answers, minted: codes.current };
        await finishDraft(vault, finished, definition, new Date(), {
          refusedBy: form.refusedBy(),
          slip,
        });
      } catch (error) {
        offer.end();
        throw error;
      }
      await saveLastAnswers(vault, definition, answers);
      await refresh();
      go(`/saved/${draft.form}/${hasReferral(definition, answers) ? "refer" : "done"}`);
      void exchange();
    };
    const discard = async (): Promise<void> => {
      await discardDraft(draft.id);
      await refresh();
    };
    return { save, finish, close: refresh, discard, exit: () => go("/today"), hide };
  }, [draft]);
}

/** What widgets may ask of the phone; `codes` collects those of new cards. */
function useHelp(codes: { current: string[] }, form: string): Help {
  const { vault, book } = useApp();
  const { user, rules } = vault.account;
  const usual = vault.account.usual?.[form] ?? {};
  return useMemo(
    () => ({
      people: book.people.map(({ code, label }) => ({ code, label })),
      usual: (path) => usual[path] ?? {},
      findIntake: (code) => findIntake(book, code),
      findStanding: (code) => findStanding(book, code),
      newCard: () => {
        const code = makeCardCode(randomBytes(8));
        codes.current = [...codes.current, code];
        return code;
      },
      areaLists: () => listAreaLists(user),
      outlines: (list) => findOutlines(user, list),
      hasRoom: hasRoomFor,
      hasVoiceNotes: rules.voice_notes,
    }),
    [book],
  );
}

export function DraftScreen({ draft, definition, notice, seeds, isNew }: DraftProps) {
  const { vault } = useApp();
  const lock = useDraftLock(draft.id, isNew);
  const codes = useRef(draft.minted ?? []);
  const offer = useSlipOffer();
  const keeper = useKeeper({ draft, definition, notice, seeds, isNew }, codes, offer);
  const help = useHelp(codes, draft.form);
  if (lock === "elsewhere") {
    return (
      <NotHere
        title={t("This is open in another tab")}
        text={t("Continue there, or close the other tab and open the record here again.")}
      />
    );
  }
  if (!lock) return null;
  return (
    <>
      <Pages
        definition={definition}
        answers={isNew ? null : draft.answers}
        seeds={seeds}
        page={draft.page}
        notice={notice}
        who={makeRespondent(vault)}
        keeper={keeper}
        help={help}
        isCorrection={draft.root !== undefined}
        isAway={offer.isMade}
      />
      {offer.isMade && <SlipScreen {...offer} />}
    </>
  );
}
