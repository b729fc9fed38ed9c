import { t } from "../../i18n";
import { loadLater } from "../load_later";
import type { QuestionType } from "../question_type";

export const range: QuestionType = {
  View: loadLater((widgets) => widgets.RangeWidget),
  hasSeveralFields: false,
  describeMistyped: () => t("Give a number on the scale."),
};
