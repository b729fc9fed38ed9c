/** Whether an answer is of its question's type; the twin of the checks in forms/types. */

import { words } from "./functions";
import { parsePoints } from "./points";
import type { Lists } from "./lists";
import type { AnswerNode } from "./node";
import type { Option } from "./types";
import { isNumber, parseDate, parseTime } from "./values";

/** Where a rule looks up what a select may hold: the form that is being filled. */
interface ChoiceSource {
  readonly lists: Pick<Lists, "choice">;
  options(node: AnswerNode): Option[];
}

const MAX_TEXT = 4000;
const MAX_CAPTURE = 200_000; // characters of a data: URL: about 150 KB of picture, sound or file

/** What was captured is in the answer until the record is finished, which then only names it. */
function makeCapturePattern(kind: string): RegExp {
  return new RegExp(`^(data:${kind};base64,[A-Za-z0-9+/]+={0,2}|attachment:${kind}:[0-9a-f]{64})$`);
}

const CAPTURED: Record<string, RegExp> = {
  image: makeCapturePattern("image/(jpeg|png)"),
  audio: makeCapturePattern("audio/[a-z0-9.+-]+"),
  file: makeCapturePattern("[a-z]+/[a-z0-9.+-]+"),
};

/** Whether an answer is none of its question's type. A type that is not here takes any text. */
const MISTYPED: Record<string, (node: AnswerNode, source: ChoiceSource) => boolean> = {
  integer: ({ text }) => !/^-?[0-9]{1,15}$/.test(text),
  decimal: ({ text }) => !isNumber(text),
  range: (node) => !isNumber(node.text) || !isOnScale(node, Number(node.text)),
  date: ({ text }) => parseDate(text)?.kind !== "date",
  dateTime: ({ text }) => parseDate(text)?.kind !== "dateTime",
  time: ({ text }) => parseTime(text) === null,
  geopoint: ({ text }) => parsePoints([text])?.length !== 1,
  acknowledge: ({ text }) => text !== "OK",
  select_one: isMischosen,
  select_multiple: isMischosen,
  rank: isMischosen,
};

export function isMistyped(source: ChoiceSource, node: AnswerNode): boolean {
  const { text, element } = node;
  const captured = CAPTURED[element.type];
  if (captured) return text.length > MAX_CAPTURE || !captured.test(text);
  return [...text].length > MAX_TEXT || Boolean(MISTYPED[element.type]?.(node, source));
}

function isMischosen(node: AnswerNode, source: ChoiceSource): boolean {
  const names = node.element.type === "select_one" ? [node.text] : words(node.text);
  if (new Set(names).size !== names.length) return true;
  if (!node.element.items && node.element.type !== "rank") {
    return names.some((name) => !source.lists.choice(node.element.choices ?? "", name));
  }
  const offered = source.options(node).map((option) => option.name);
  const isIncomplete = node.element.type === "rank" && names.length !== offered.length;
  return isIncomplete || names.some((name) => !offered.includes(name));
}

/** The ends and the step of a range question. */
export function scale(node: AnswerNode): { start: number; end: number; step: number } {
  const { start, end, step } = node.element.parameters ?? {};
  return { start: Number(start ?? 1), end: Number(end ?? 10), step: Number(step ?? 1) };
}

function isOnScale(node: AnswerNode, number: number): boolean {
  const { start, end, step } = scale(node);
  const steps = (number - start) / Math.abs(step);
  const isWhole = Math.abs(steps - Math.floor(steps + 0.5)) < 1e-9;
  return Math.min(start, end) <= number && number <= Math.max(start, end) && isWhole;
}
