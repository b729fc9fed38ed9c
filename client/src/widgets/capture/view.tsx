import { t } from "../../i18n";
import { loadLater } from "../load_later";
import { describeNotAllowed, type QuestionType } from "../question_type";

const captured = { View: loadLater((widgets) => widgets.CaptureWidget), hasSeveralFields: false };
export const audio: QuestionType = { ...captured, describeMistyped: describeNotAllowed };
export const file: QuestionType = { ...captured, describeMistyped: describeNotAllowed };
export const image: QuestionType = {
  ...captured,
  describeMistyped: () => t("Take a picture of 150 KB at most."),
};
