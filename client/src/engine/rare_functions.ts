/** Functions of the expression language that few forms call: fetched for those that do. */

import { digest } from "./digest";
import { area, distance, geofence } from "./geometry";
import { toBoolean, toNumber, toText, type Value } from "./values";

function checklist(least: Value, most: Value, ...answers: Value[]): boolean {
  return within(answers.filter(toBoolean).length, least, most);
}

function weightedChecklist(least: Value, most: Value, ...pairs: Value[]): boolean {
  let total = 0;
  for (let at = 0; at + 1 < pairs.length; at += 2)
    total += toBoolean(pairs[at]!) ? toNumber(pairs[at + 1]!) : 0;
  return within(total, least, most);
}

function within(total: number, least: Value, most: Value): boolean {
  const low = toNumber(least);
  const high = toNumber(most);
  return (low === -1 || total >= low) && (high === -1 || total <= high);
}

function base64Decode(value: Value): string {
  const text = toText(value);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return "";
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}

export const RARE_PLAIN: Record<string, (...values: Value[]) => Value> = {
  "base64-decode": (text) => base64Decode(text!),
  checklist: (least, most, ...answers) => checklist(least!, most!, ...answers),
  digest: (text, algorithm, encoding) =>
    digest(toText(text!), toText(algorithm!), encoding === undefined ? "base64" : toText(encoding)),
  geofence: (point, shape) => geofence(point!, shape!),
  "weighted-checklist": (least, most, ...pairs) => weightedChecklist(least!, most!, ...pairs),
};

export const RARE_OF_ALL: Record<string, (values: Value[]) => Value> = { area, distance };
