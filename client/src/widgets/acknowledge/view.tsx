import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";
import { describeNotAllowed, type QuestionType } from "../question_type";

function AcknowledgeWidget(props: WidgetProps) {
  return (
    <div class="choices long">
      <label class="choice">
        <input
          {...describeField(props)}
          type="checkbox"
          checked={props.node.text === "OK"}
          onChange={(event) => props.change((event.target as HTMLInputElement).checked ? "OK" : "")}
        />
        <span>{t("Yes, I have read this")}</span>
      </label>
    </div>
  );
}

export const acknowledge: QuestionType = {
  View: AcknowledgeWidget,
  hasSeveralFields: true,
  describeMistyped: describeNotAllowed,
};
