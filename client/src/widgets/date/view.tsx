import { DateValue } from "../../engine/values";
import { t } from "../../i18n";
import { described, type WidgetProps } from "../props";

/** The local day so many days from today, as YYYY-MM-DD. */
function day(offset: number): string {
  return new DateValue(Math.floor(DateValue.ofClock(new Date()).days) + offset).toString();
}

export function DateWidget(props: WidgetProps) {
  const { form, node, change } = props;
  const input = (event: Event): void => change((event.target as HTMLInputElement).value);
  const looks = (node.element.appearance ?? "").split(" ");
  if (node.element.type === "time") {
    return (
      <input {...described(props)} type="time" value={node.text.slice(0, 5)} onInput={input} />
    );
  }
  if (node.element.type === "date" && looks.includes("month-year")) {
    const month = (event: Event): void => {
      const { value } = event.target as HTMLInputElement;
      change(value && `${value}-01`);
    };
    return (
      <input
        {...described(props)}
        aria-label={props.label}
        type="month"
        value={node.text.slice(0, 7)}
        onInput={month}
      />
    );
  }
  if (node.element.type === "date" && looks.includes("year")) {
    const year = (event: Event): void => {
      const { value } = event.target as HTMLInputElement;
      change(/^\d{4}$/.test(value) ? `${value}-01-01` : value);
    };
    return (
      <input
        {...described(props)}
        aria-label={props.label}
        type="text"
        inputMode="numeric"
        maxLength={4}
        value={node.text.slice(0, 4)}
        onInput={year}
      />
    );
  }
  if (node.element.type === "dateTime") {
    return (
      <input
        {...described(props)}
        type="datetime-local"
        value={node.text.slice(0, 16)}
        onInput={input}
      />
    );
  }
  const likely: [string, string][] = [
    [day(0), t("Today")],
    [day(-1), t("Yesterday")],
    [day(1), t("Tomorrow")],
    [day(7), t("In a week")],
  ];
  const quick = likely.filter(([value]) => form.allows(node, value)).slice(0, 2);
  return (
    <div class="field">
      <div class="choices" hidden={quick.length === 0}>
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
      <input
        {...described(props)}
        aria-label={props.label}
        type="date"
        value={node.text}
        onInput={input}
      />
    </div>
  );
}
