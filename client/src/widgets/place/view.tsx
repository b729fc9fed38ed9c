import { loadLater } from "../load_later";
import { describeNotAllowed, type QuestionType } from "../question_type";

export const geopoint: QuestionType = {
  View: loadLater((widgets) => widgets.PlaceWidget),
  hasSeveralFields: true,
  describeMistyped: describeNotAllowed,
};
