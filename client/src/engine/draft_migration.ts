/**
 * Whether a draft may go on under a newer version of its form; forms/changes.py foretells it in the
 * office (blocks_drafts).
 */

import type { Element, FormDefinition } from "./definition";
import { words } from "./functions";
import type { Json } from "./types";

const TEXTS = new Set(["text", "barcode"]);
const SELECTS = new Set(["select_one", "select_multiple", "rank"]);

/** True when every answer finds its question, of the same type, with its choices still there. */
export function fitsNewVersion(
  answers: Json,
  before: FormDefinition,
  after: FormDefinition,
): boolean {
  const old = new Map(before.elements.map((element) => [element.path, element]));
  const next = new Map(after.elements.map((element) => [element.path, element]));
  const fitsAt = (group: Json, path: string): boolean =>
    Object.entries(group).every(([name, answer]) => fitsElement(answer, `${path}/${name}`));
  const fitsElement = (answer: Json[string], path: string): boolean => {
    const was = old.get(path);
    const is = next.get(path);
    if (was?.calculate) return true; // computed anew
    if (!was || !is || was.kind !== is.kind) return false;
    if (Array.isArray(answer)) return answer.every((instance) => fitsAt(instance, path));
    if (typeof answer === "object") return fitsAt(answer, path);
    return isSameType(was, is) && areStillOffered(answer, is, after);
  };
  return fitsAt(answers, "/data");
}

const isSameType = (was: Element, is: Element): boolean =>
  was.type === is.type || (TEXTS.has(was.type) && TEXTS.has(is.type));

function areStillOffered(answer: string, element: Element, { choices }: FormDefinition): boolean {
  if (!SELECTS.has(element.type) || element.items) return true;
  const offered = new Set(choices[element.choices ?? ""]?.map((choice) => choice.name));
  const chosen = element.type === "select_one" ? [answer] : words(answer);
  return chosen.every((name) => offered.has(name));
}
