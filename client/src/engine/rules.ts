/** Whether an answer is of its question's type; the twin of the checks in forms/types. */

import type { Text } from "./definition";
import type { Form } from "./form";
import { words } from "./functions";
import { pointsOf } from "./geometry";
import type { AnswerNode } from "./node";
import { isNumber, parseDate, parseTime } from "./values";

export type Problem = { code: "required" | "type" | "constraint"; message: Text };

const MAX_TEXT = 4000;
const MAX_CAPTURE = 200_000; // characters of a picture, recording or file as a data: URL: about 150 KB
const CAPTURED: Record<string, RegExp> = {
  image: /^(data:image\/(jpeg|png);base64,[A-Za-z0-9+/]+={0,2}|attachment:image\/(jpeg|png):[0-9a-f]{64})$/,
  audio: /^(data:audio\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}|attachment:audio\/[a-z0-9.+-]+:[0-9a-f]{64})$/,
  file: /^(data:[a-z]+\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}|attachment:[a-z]+\/[a-z0-9.+-]+:[0-9a-f]{64})$/,
};

export function isMistyped(form: Form, node: AnswerNode): boolean {
  const { text } = node;
  const { type } = node.element;
  const captured = CAPTURED[type];
  if (captured) return text.length > MAX_CAPTURE || !captured.test(text);
  if ([...text].length > MAX_TEXT) return true;
  switch (type) {
    case "integer":
      return !/^-?[0-9]{1,15}$/.test(text);
    case "decimal":
      return !isNumber(text);
    case "range":
      return !isNumber(text) || !isOnScale(node, Number(text));
    case "date":
    case "dateTime":
      return parseDate(text)?.kind !== type;
    case "time":
      return parseTime(text) === null;
    case "geopoint":
      return pointsOf([text])?.length !== 1;
    case "acknowledge":
      return text !== "OK";
    case "select_one":
    case "select_multiple":
    case "rank":
      return isMischosen(form, node);
    default:
      return false;
  }
}

function isMischosen(form: Form, node: AnswerNode): boolean {
  const names = node.element.type === "select_one" ? [node.text] : words(node.text);
  if (new Set(names).size !== names.length) return true;
  if (!node.element.items && node.element.type !== "rank") {
    return names.some((name) => !form.lists.choice(node.element.choices ?? "", name));
  }
  const offered = form.options(node);
  const known = new Set(offered.map((option) => option.name));
  return names.some((name) => !known.has(name)) || (node.element.type === "rank" && names.length !== offered.length);
}

/** The ends and the step of a range question. */
export function scale(node: AnswerNode): { start: number; end: number; step: number } {
  const given = node.element.parameters ?? {};
  return { start: Number(given["start"] ?? 1), end: Number(given["end"] ?? 10), step: Number(given["step"] ?? 1) };
}

function isOnScale(node: AnswerNode, number: number): boolean {
  const { start, end, step } = scale(node);
  const steps = (number - start) / Math.abs(step);
  const isWhole = Math.abs(steps - Math.floor(steps + 0.5)) < 1e-9;
  return Math.min(start, end) <= number && number <= Math.max(start, end) && isWhole;
}
