/** Whether a draft may go on under a newer version of its form; forms/changes.py foretells it in the office (blocks_drafts). */

import type { Element, FormDefinition } from "./definition";
import { words } from "./functions";
import type { Json } from "./types";

const TEXTS = new Set(["text", "barcode"]);
const SELECTS = new Set(["select_one", "select_multiple", "rank"]);

/** True when every answer finds its question, of the same type, with its choices still there. */
export function fits(answers: Json, before: FormDefinition, after: FormDefinition): boolean {
  const old = new Map(before.elements.map((element) => [element.path, element]));
  const next = new Map(after.elements.map((element) => [element.path, element]));
  return fitsAt(answers, "/data", old, next, after);
}

function fitsAt(
  answers: Json,
  path: string,
  old: Map<string, Element>,
  next: Map<string, Element>,
  after: FormDefinition,
): boolean {
  return Object.entries(answers).every(([name, given]) => {
    const here = `${path}/${name}`;
    const [was, is] = [old.get(here), next.get(here)];
    if (was?.calculate) return true; // computed anew
    if (!was || !is || was.kind !== is.kind) return false;
    if (Array.isArray(given))
      return given.every((instance) => fitsAt(instance, here, old, next, after));
    if (typeof given === "object") return fitsAt(given, here, old, next, after);
    if (was.type !== is.type && !(TEXTS.has(was.type) && TEXTS.has(is.type))) return false;
    if (!SELECTS.has(is.type) || is.items) return true;
    const known = new Set(after.choices[is.choices ?? ""]?.map((choice) => choice.name));
    return (is.type === "select_one" ? [given] : words(given)).every((one) => known.has(one));
  });
}
