/** When a shift that is on ends: now, or nobody knows. */

import type { FormDefinition } from "../../engine/definition";
import { findQuestion, setAnswer, SHIFT_END } from "../../engine/roles";
import { DateValue } from "../../engine/values";
import { type Draft, rewriteDraft } from "../../storage/drafts";
import type { Vault } from "../../storage/vault";

const FORGOTTEN_AFTER = 16 * 3_600_000; // milliseconds: then its end is asked, not filled in

/** Whether a shift that began at a moment may end now; else it was forgotten. */
export function isEndingNow(shift: string): boolean {
  return Date.now() - Date.parse(shift) <= FORGOTTEN_AFTER;
}

/** End the shift of a draft now, unless its worker said when. */
export async function endNow(
  vault: Vault,
  definition: FormDefinition,
  draft: Draft,
  shift: string,
): Promise<void> {
  const { path } = findQuestion(definition, SHIFT_END)!;
  if (!draft.presets?.includes(path.split("/").slice(2).join("."))) return;
  // As the engine writes the phone's clock.
  const end = isEndingNow(shift) ? DateValue.ofClock(new Date()).toString() : "";
  await rewriteDraft(vault, { ...draft, answers: setAnswer(draft.answers, path, end) });
}
