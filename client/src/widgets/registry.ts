/** The types of questions that can be asked, one line each; a type's parts are in its folder. */

import { acknowledge } from "./acknowledge/view";
import { barcode } from "./barcode/view";
import { audio, file, image } from "./capture/view";
import { date, dateTime, time } from "./date/view";
import { decimal, integer } from "./number/view";
import { geopoint } from "./place/view";
import type { QuestionType } from "./question_type";
import { range } from "./range/view";
import { rank } from "./rank/view";
import { select_multiple, select_one } from "./select/view";
import { text } from "./text/view";

export const QUESTION_TYPES = {
  acknowledge,
  audio,
  barcode,
  date,
  dateTime,
  decimal,
  file,
  geopoint,
  image,
  integer,
  range,
  rank,
  select_multiple,
  select_one,
  text,
  time,
} satisfies Record<string, QuestionType>;

/** The type of a question by its name in the form; undefined for rows that ask nothing. */
export function findQuestionType(name: string): QuestionType | undefined {
  return Object.hasOwn(QUESTION_TYPES, name)
    ? QUESTION_TYPES[name as keyof typeof QUESTION_TYPES]
    : undefined;
}
