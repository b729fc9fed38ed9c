/** Choosing from a list: how it is shown, what is chosen, what a search finds. Pure. */

import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import type { Option } from "../../engine/types";
import { standsAlone } from "../../engine/roles";
import type { WidgetProps } from "../props";

export const SEARCH_FROM = 30; // a longer list is searched, not scrolled
const SHORT_LIST = 8; // may stand open before a word is typed

export type ListProps = WidgetProps & {
  choices: readonly Option[];
  labelOf: (choice: Option) => string;
  isOne: boolean; // one choice, not several
};

/** Whether a select is one native field, and so has a label of its own. */
export function isDropDown(form: Form, node: AnswerNode): boolean {
  const { type, appearance = "" } = node.element;
  if (type !== "select_one" || !appearance.includes("minimal")) return false;
  return form.options(node).length <= SEARCH_FROM;
}

/** Choices with those that were picked most first; else in the order of the list. */
export function putLikelyFirst<Named extends { name: string }>(
  choices: readonly Named[],
  counts: Record<string, number>,
): readonly Named[] {
  const countOf = ({ name }: Named): number => counts[name] ?? 0;
  return [...choices].sort((a, b) => countOf(b) - countOf(a)); // a sort keeps ties in their order
}

/**
 * The names chosen once a choice is switched on or off, in the order of the list. One that stands
 * alone, such as “none”, switches the others off, and any other switches it off.
 */
export function toggleChoice(
  choices: readonly Option[],
  chosen: string[],
  name: string,
  isOn: boolean,
): string {
  const next = new Set(chosen);
  next.delete(name);
  if (isOn) {
    const isAlone = choices.some((choice) => choice.name === name && standsAlone(choice));
    for (const choice of choices) if (isAlone || standsAlone(choice)) next.delete(choice.name);
    next.add(name);
  }
  const names = choices.map((choice) => choice.name);
  return names.filter((each) => next.has(each)).join(" ");
}

/** A text without accents and capitals, as it is searched. */
export function simplify(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * The choices whose words hold every word of a search; of a short list all, before a word is typed.
 */
export function findMatches(
  choices: readonly Option[],
  texts: string[], // of the choices, simplified
  search: string,
): readonly Option[] {
  const words = simplify(search).split(/\s+/).filter(Boolean);
  if (words.length === 0) return choices.length <= SHORT_LIST ? choices : [];
  return choices.filter((_, index) => words.every((word) => texts[index]!.includes(word)));
}
