import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";
import type { QuestionType } from "../question_type";

function NumberWidget(props: WidgetProps) {
  const { node, change, label } = props;
  const isWhole = node.element.type === "integer";
  const input = (event: Event): void =>
    change((event.target as HTMLInputElement).value.trim().replace(",", "."));
  const field = (
    <input
      {...describeField(props)}
      type="text"
      class={(node.element.appearance ?? "").includes("masked") ? "masked" : undefined}
      inputMode={isWhole ? "numeric" : "decimal"}
      value={node.text}
      onInput={input}
      autocomplete="off"
    />
  );
  if (!isWhole) return field;
  const step = (by: number): void =>
    change(String(Math.max(0, (Number.parseInt(node.text, 10) || 0) + by)));
  return (
    <div class="stepper">
      <button
        type="button"
        class="btn"
        aria-label={t("Fewer: {label}", { label })}
        onClick={() => step(-1)}
      >
        −
      </button>
      {field}
      <button
        type="button"
        class="btn"
        aria-label={t("More: {label}", { label })}
        onClick={() => step(1)}
      >
        +
      </button>
    </div>
  );
}

export const integer: QuestionType = {
  View: NumberWidget,
  hasSeveralFields: false,
  describeMistyped: () => t("Give a whole number."),
};
export const decimal: QuestionType = {
  View: NumberWidget,
  hasSeveralFields: false,
  describeMistyped: () => t("Give a number."),
};
