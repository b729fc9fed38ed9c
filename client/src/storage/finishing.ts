/** Finish a draft: it leaves for the outbox, with a copy that only its worker's own key opens. */

import { parseCardCode } from "../engine/cards";
import type { FormDefinition } from "../engine/definition";
import type { Json } from "../engine/types";
import { AREA, goesOnAsBefore, KIND, MINUTES, readRole, TIER } from "../engine/roles";
import { detachAttachments } from "./captured";
import { type Caseload, findStanding, readCaseload } from "./caseload";
import { addFinishedRecord, addStatement, pickKnown } from "./caseload_updates";
import type { Draft } from "./drafts";
import { enqueue, findClock, formatLocalTime } from "./outbox";
import { compareCaseloads, type Undo } from "./undo";
import { OVERVIEW } from "./types";
import { seal, type Vault } from "./vault";

/** What travels beside the answers, and is in none of them. */
interface Beside {
  refusedBy?: string; // card code of a person who said no
  slip?: string; // with which the person sees their consent
}

/** How people were asked, if they were, and what was known then of what they had said before. */
function describeConsent(
  { consent_wording: wording = "" }: FormDefinition,
  knew: string[] | undefined,
  asked: boolean,
): { consent?: object } {
  return knew || wording ? { consent: { knew: knew ?? [], wording, asked } } : {};
}

/** What is sealed to the centre, but for its number. */
function makeContent(
  definition: FormDefinition,
  draft: Draft,
  answers: Json,
  now: Date,
  {
    cards,
    knew,
    refusedBy = "",
    slip = "",
  }: Beside & { cards: string[]; knew: string[] | undefined },
): { form: string; version: string; finished_at: string; body: string; root?: string } {
  const { form, version, root, prev, due } = draft;
  const finishedAt = formatLocalTime(now);
  const clock = findClock(finishedAt, draft.clock);
  return {
    form,
    version,
    finished_at: finishedAt,
    ...(clock !== finishedAt ? { clock } : {}),
    body: JSON.stringify(answers),
    ...(root ? { root, prev } : {}),
    ...(due ? { due } : {}),
    ...(cards.length ? { cards } : {}),
    ...(refusedBy ? { refused_by: parseCardCode(refusedBy) } : {}),
    ...(slip ? { slip } : {}),
    ...describeConsent(definition, knew, !goesOnAsBefore(definition, draft.answers)),
  };
}

/** How much the person of a record allows, by what they said or what stands; nothing if unknown. */
function noteStanding(caseload: Caseload, code: string, answered: string): { stood?: number } {
  const stood = answered ? Number(answered) : findStanding(caseload, code)?.tier;
  return code === "" || stood === undefined ? {} : { stood };
}

/** What its line in the worker's list says of a record. */
function describeLine(
  read: (role: string) => string,
  { hasSlip }: Undo,
): { minutes: string; kind?: string; area?: string; hasSlip?: boolean } {
  return {
    minutes: read(MINUTES),
    ...pickKnown({ kind: read(KIND), area: read(AREA) }),
    ...(hasSlip && { hasSlip }),
  };
}

/**
 * Move a draft to the outbox in one transaction: it is never in both, never in neither, and counted
 * with it.
 */
export async function finishDraft(
  vault: Vault,
  draft: Draft,
  definition: FormDefinition,
  now: Date,
  beside: Beside = {},
): Promise<void> {
  const { refusedBy = "", slip = "" } = beside;
  const { heads: allHeads, ...rest } = draft;
  const id = draft.root ?? draft.id;
  const read = (role: string): string => readRole(definition, draft.answers, role);
  const [answers, blobs] = await detachAttachments(vault, draft.id, draft.answers);
  const caseload = await readCaseload(vault);
  const code = parseCardCode(read("person"));
  const newCodes = [...(draft.minted ?? []), ...caseload.made];
  const cards = newCodes.includes(code) ? [code] : [];
  // What was heard while this was being filled in, nobody knew when the person was asked.
  const person = code || parseCardCode(refusedBy);
  const knew = allHeads?.[person];
  const content = makeContent(definition, draft, answers, now, { ...beside, cards, knew });
  const isAsked = !goesOnAsBefore(definition, draft.answers);
  const isStatement = isAsked && person !== "" && read(TIER) !== "";
  const change = (before: Caseload): Caseload => {
    const today = content.finished_at.slice(0, 10);
    const after = addFinishedRecord(before, definition, { ...draft, cards }, today);
    return isStatement ? addStatement(after, person, id) : after;
  };
  const heads = knew ? { heads: { [person]: knew } } : {};
  const copy = { ...rest, answers, ...heads, page: OVERVIEW };
  const undo: Undo = {
    ...compareCaseloads(caseload, change(caseload)),
    refused: refusedBy ? [definition.summary["person"]!, refusedBy] : null,
    hasSlip: slip !== "",
  };
  await enqueue(vault, {
    id: draft.id,
    content,
    about: { ...describeLine(read, undo), ...noteStanding(caseload, code, read(TIER)) },
    person,
    change,
    blobs,
    sealed: {
      // Of who said no nothing stays here once that is sent.
      ...(refusedBy ? {} : { copy: await seal(vault.key, copy) }),
      undo: await seal(vault.key, refusedBy ? { ...undo, copy } : undo),
    },
  });
}
