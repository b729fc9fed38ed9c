import { t } from "../../i18n";
import { loadLater } from "../load_later";
import type { QuestionType } from "../question_type";

export const rank: QuestionType = {
  View: loadLater((widgets) => widgets.RankWidget),
  hasSeveralFields: true,
  describeMistyped: () => t("Put every choice in order."),
};
