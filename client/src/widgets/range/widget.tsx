import { scale } from "../../engine/rules";
import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";

/** A slider with buttons for single steps; it holds no answer until it is touched. */
export function RangeWidget(props: WidgetProps) {
  const { node, change, label } = props;
  const { start, end, step } = scale(node);
  const by = Math.abs(step);
  const low = Math.min(start, end);
  const high = Math.max(start, end);
  const digits =
    (String(by).split(".")[1] ?? "").length + (String(start).split(".")[1] ?? "").length;
  const written = (number: number): string => String(Number(number.toFixed(digits)));
  const move = (direction: number): void => {
    const next = node.text ? Number(node.text) + direction * by : start;
    if (next >= low && next <= high) change(written(next));
  };
  return (
    <div class="range" dir={start > end ? "rtl" : undefined}>
      <div class="stepper">
        <button
          type="button"
          class="btn"
          aria-label={t("Fewer: {label}", { label })}
          onClick={() => move(-1)}
        >
          −
        </button>
        <output for={props.id}>{node.text || "–"}</output>
        <button
          type="button"
          class="btn"
          aria-label={t("More: {label}", { label })}
          onClick={() => move(1)}
        >
          +
        </button>
      </div>
      <input
        {...describeField(props)}
        type="range"
        min={low}
        max={high}
        step={by}
        value={node.text || String(low)}
        aria-valuetext={node.text || t("No answer yet")}
        class={node.text ? "" : "unset"}
        onInput={(event) => change(written(Number((event.target as HTMLInputElement).value)))}
      />
      <div class="row soft">
        <span>{low}</span>
        <span>{high}</span>
      </div>
    </div>
  );
}
