import { DateValue } from "../engine/values";
import { t } from "../i18n";
import { described, type WidgetProps } from "./props";

/** The local day so many days from today, as YYYY-MM-DD. */
function day(offset: number): string {
  return new DateValue(Math.floor(DateValue.ofClock(new Date()).days) + offset).toString();
}

export function DateWidget(props: WidgetProps) {
  const { node, change } = props;
  const input = (event: Event): void => change((event.target as HTMLInputElement).value);
  if (node.element.type === "dateTime") {
    return <input {...described(props)} type="datetime-local" value={node.text.slice(0, 16)} onInput={input} />;
  }
  const quick: [string, string][] = [
    [day(0), t("Today")],
    [day(-1), t("Yesterday")],
  ];
  return (
    <div class="field">
      <div class="choices">
        {quick.map(([value, label]) => (
          <label class="choice" key={value}>
            <input
              type="radio"
              name={`${props.id}-quick`}
              checked={node.text === value}
              onChange={() => change(value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <input {...described(props)} aria-label={props.label} type="date" value={node.text} onInput={input} />
    </div>
  );
}
