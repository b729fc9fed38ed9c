/** A draft being filled in: where its answers go, and what the phone around it can help with. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { makeCardCode } from "../../engine/cards";
import type { FormDefinition } from "../../engine/definition";
import type { Form } from "../../engine/form";
import type { Json, Who } from "../../engine/types";
import { parseDate } from "../../engine/values";
import { randomBytes } from "../../storage/bytes";
import { findIntake, findStanding } from "../../storage/caseload";
import { discardDraft, type Draft, isDraft, rewriteDraft, saveDraft } from "../../storage/drafts";
import { findClock, formatLocalTime } from "../../storage/outbox";
import { findOutlines, listAreaLists } from "../../storage/forms";
import { hasRoomFor } from "../../storage/health";
import type { Vault } from "../../storage/vault";
import { t } from "../../i18n";
import type { Help } from "../../widgets/props";
import { noteHere } from "../others_piece";
import { go, replaceWith, useApp } from "../state";
import { leavePages } from "./history";
import { type Answers, nameRecent } from "./initial_answers";
import type { Keeper } from "./keeper";
import { LastStep, loadLastSteps } from "./last_steps_later";
import { NotHere } from "./not_here";
import { Pages } from "./pages";
import { type SlipOffer, useSlipOffer } from "./slip_offer";
import { describeReason } from "../to_correct/reasons";
import { SentBack } from "../to_correct/sent_back";

export interface LoadedDraft {
  draft: Draft;
  definition: FormDefinition;
  notice: string; // about a form that has changed since
}

type DraftProps = LoadedDraft & { seeds: Answers; chosen?: string[]; isNew: boolean };

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

/** Where the answers of a draft go: the phone's sealed store. */
function useKeeper(
  { draft, definition, isNew }: DraftProps,
  codes: { current: string[] },
  offer: SlipOffer,
): Keeper {
  const { vault, refresh, hide } = useApp();
  const last = useRef<[page: number, presets: string[]]>([draft.page, draft.presets ?? []]);
  const isStored = useRef(!isNew);
  const address = useRef(location.hash);
  return useMemo(() => {
    /** Show something else, unless the worker went back or hid the app while the phone wrote. */
    const leaveFor = async (path: string, show = replaceWith): Promise<void> => {
      await leavePages();
      if (location.hash === address.current) show(path);
    };
    /** It was erased while it was open: its person took everything back, and Today says so. */
    const leaveErased = async (): Promise<void> => {
      await refresh();
      await leaveFor("/today");
    };
    const save = async (page: number, answers: Json, presets: string[]): Promise<void> => {
      last.current = [page, presets];
      const { at: _, ...rest } = draft;
      const minted = codes.current;
      const changed = { ...rest, changedAt: Date.now(), page, answers, presets, minted };
      if (!isStored.current) await saveDraft(vault, changed);
      else if (!(await rewriteDraft(vault, changed))) return leaveErased();
      isStored.current = true;
      // Now it has an address: after a reload the worker is where they were.
      if (location.hash.startsWith("#/start/")) {
        history.replaceState(null, "", `#/fill/${draft.id}`);
        address.current = location.hash;
        void noteHere(vault);
      }
    };
    /** Offer a slip where one is due. Until they answer, the record is a draft, so none is lost. */
    const offerSlip = async (answers: Json): Promise<string> => {
      const { makeSlip, saidYes } = await loadLastSteps();
      if (draft.root || !saidYes(definition, answers)) return "";
      const [page, presets] = last.current;
      await save(page, answers, presets);
      return offer.make(makeSlip(randomBytes(12)));
    };
    const finish = async (answers: Json, form: Form): Promise<void> => {
      if (isStored.current && !(await isDraft(draft.id))) return leaveErased();
      const steps = await loadLastSteps();
      try {
        const slip = await offerSlip(answers);
        const finished = { ...draft, answers, presets: last.current[1], minted: codes.current };
        // Whoever has a slip can see the record with it: it is corrected, never taken back.
        if (!slip) await steps.hold(draft.id, form.isRefusal() ? form.toUncutJson() : null);
        await steps.finishDraft(vault, finished, definition, new Date(), {
          refusedBy: form.refusedBy(),
          slip,
        });
      } catch (error) {
        steps.release(draft.id);
        offer.end();
        throw error;
      }
      await steps.saveLastAnswers(vault, definition, answers);
      await refresh();
      const then = steps.hasReferral(definition, answers) ? "refer" : "done";
      await leaveFor(`/saved/${draft.form}/${then}/${draft.id}`);
    };
    const discard = async (): Promise<void> => {
      await discardDraft(draft.id);
      await refresh();
    };
    return {
      save,
      finish,
      close: refresh,
      discard,
      exit: (isGone) => void leaveFor("/today", isGone ? replaceWith : go),
      hide,
    };
  }, [draft]);
}

/** What widgets may ask of the phone; `codes` collects those of new cards. */
function useHelp(codes: { current: string[] }, form: string): Help {
  const { vault, book } = useApp();
  const { user, rules, remembered } = vault.account;
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
      shift: book.shift,
      hasRoom: hasRoomFor,
      hasVoiceNotes: rules.voice_notes,
      recent: (form, path) => (remembered[form]?.[nameRecent(path)] ?? "").split(" "),
    }),
    [book],
  );
}

export function DraftScreen({ draft, definition, notice, seeds, chosen, isNew }: DraftProps) {
  const { vault, book } = useApp();
  const returned = draft.root === undefined ? undefined : book.todo[draft.root];
  const lock = useDraftLock(draft.id, isNew);
  const codes = useRef(draft.minted ?? []);
  const offer = useSlipOffer();
  const keeper = useKeeper({ draft, definition, notice, seeds, isNew }, codes, offer);
  const help = useHelp(codes, draft.form);
  useEffect(() => void loadLastSteps().catch(() => undefined), []);
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
        chosen={chosen ?? []}
        presets={draft.presets ?? []}
        page={draft.page}
        at={draft.at ?? ""}
        notice={notice}
        reason={returned ? describeReason(returned) : ""}
        banner={returned && <SentBack record={returned} />}
        who={makeRespondent(vault)}
        keeper={keeper}
        help={help}
        isCorrection={draft.root !== undefined}
        readClock={() => parseDate(findClock(formatLocalTime(new Date()), draft.clock))!}
        isAway={offer.isMade}
      />
      {offer.isMade && <LastStep draw={({ SlipScreen }) => <SlipScreen {...offer} />} />}
    </>
  );
}
