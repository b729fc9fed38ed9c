import { t } from "../../i18n";
import { described, type WidgetProps } from "../props";

export function NumberWidget(props: WidgetProps) {
  const { node, change, label } = props;
  const isWhole = node.element.type === "integer";
  const input = (event: Event): void =>
    change((event.target as HTMLInputElement).value.trim().replace(",", "."));
  const field = (
    <input
      {...described(props)}
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
