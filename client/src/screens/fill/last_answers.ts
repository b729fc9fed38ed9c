/** What is kept of the answers of a record that was finished, for the next one. */

import type { FormDefinition } from "../../engine/definition";
import { isChosen, readAt, REFERRAL_MADE, YES } from "../../engine/roles";
import type { Json } from "../../engine/types";
import { saveAccount, type Vault } from "../../storage/vault";
import { type Answers, nameRecent } from "./initial_answers";
import { countUsual } from "./usual_answers";

const MOST_RECENT = 4; // last answers that are offered again

/**
 * Last answers of the questions that ask for them; what a record leaves out stays as it was before.
 */
export function collectLastAnswers(
  definition: FormDefinition,
  answers: Json,
  before: Answers = {},
): Answers {
  const last = { ...before };
  for (const { appearance, path } of definition.elements) {
    if (!(appearance ?? "").includes("last-used")) continue;
    const value = readAt(answers, path);
    if (!value) continue;
    last[path] = value;
    const earlier = (last[nameRecent(path)] ?? "").split(" ");
    const recent = [value, ...earlier.filter((each) => each && each !== value)];
    last[nameRecent(path)] = recent.slice(0, MOST_RECENT).join(" ");
  }
  return last;
}

/**
 * Whether the answers of an encounter say that a referral was made, which has a form of its own.
 */
export function hasReferral(definition: FormDefinition, answers: Json): boolean {
  return isChosen(definition, answers, REFERRAL_MADE, YES);
}

/** Remember the last and the usual answers of a form, on this phone. */
export async function saveLastAnswers(
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
