/** Answers that a form begins with: from where the worker tapped, and from last time. */

import { parseCardCode } from "../../engine/cards";
import type { Ast, FormDefinition } from "../../engine/definition";
import { findQuestion, FOLLOWED_DAY, FOLLOWS, KIND, listChoicesOf } from "../../engine/roles";

/** First answers: path of a question → text. */
export type Answers = Record<string, string>;

/**
 * First answers from an address: whose card it is about, and what kind of contact ("CODE|kind");
 * and which record is followed up, where something is `due` of it ("RECORD/DAY") or it is open
 * ("RECORD"), and `from` which day it is.
 */
export function makeInitialAnswers(
  definition: FormDefinition,
  about: string,
  due: string,
  from = "",
): Answers {
  const [card = "", kind = ""] = about.split("|");
  const code = parseCardCode(card);
  const answers: Answers = {};
  const person = findQuestion(definition, "person");
  if (person && code) {
    answers[person.path] = code;
    Object.assign(answers, findPreselected(definition, person.relevant));
  }
  const followed = findQuestion(definition, FOLLOWS);
  if (followed && due) answers[followed.path] = due.split("/")[0]!;
  const followedDay = findQuestion(definition, FOLLOWED_DAY);
  if (followedDay && due && from) answers[followedDay.path] = from;
  const kindQuestion = findQuestion(definition, KIND);
  const kinds = listChoicesOf(definition, KIND);
  if (kindQuestion && kinds.some((choice) => choice.name === kind)) {
    answers[kindQuestion.path] = kind;
  }
  return answers;
}

/** The answer that makes a condition such as ${who} = 'enrolled' true; none for others. */
function findPreselected(definition: FormDefinition, relevant: Ast | undefined): Answers {
  if (relevant?.[0] !== "op" || relevant[1] !== "=") return {};
  const [, , left, right] = relevant;
  if (left[0] !== "path" || right[0] !== "s") return {};
  const name = left[2].at(-1)?.[1];
  const question = definition.elements.find(
    (element) => element.name === name && element.kind === "question",
  );
  return question ? { [question.path]: right[1] } : {};
}

/** Under what the last answers of a question are remembered, beside the very last one. */
export const nameRecent = (path: string): string => `${path}#recent`;
