import { DateValue } from "../../engine/values";
import { t } from "../../i18n";
import { describeField, listAppearances, type WidgetProps } from "../props";
import type { QuestionType } from "../question_type";

const QUICK = 2; // days offered beside the calendar

/** The local day so many days from today, as YYYY-MM-DD. */
function countFromToday(days: number): string {
  return new DateValue(Math.floor(DateValue.ofClock(new Date()).days) + days).toString();
}

const readField = (event: Event): string => (event.target as HTMLInputElement).value;

/** A month that was chosen, as the first of its days; "" for none. */
export function firstOfMonth(month: string): string {
  return month && `${month}-01`;
}

/** A year that was typed, as the first of its days; what is no year yet stays as it was typed. */
export function firstOfYear(year: string): string {
  return /^\d{4}$/.test(year) ? `${year}-01-01` : year;
}

function TimeWidget(props: WidgetProps) {
  const { node, change } = props;
  return (
    <input
      {...describeField(props)}
      type="time"
      value={node.text.slice(0, 5)}
      onInput={(event) => change(readField(event))}
    />
  );
}

function DateTimeWidget(props: WidgetProps) {
  const { node, change } = props;
  return (
    <input
      {...describeField(props)}
      type="datetime-local"
      value={node.text.slice(0, 16)}
      onInput={(event) => change(readField(event))}
    />
  );
}

function DateWidget(props: WidgetProps) {
  const appearances = listAppearances(props.node);
  if (appearances.includes("month-year")) return <MonthField {...props} />;
  if (appearances.includes("year")) return <YearField {...props} />;
  return <DayField {...props} />;
}

function MonthField(props: WidgetProps) {
  const { node, change, label } = props;
  return (
    <input
      {...describeField(props)}
      aria-label={label}
      type="month"
      value={node.text.slice(0, 7)}
      onInput={(event) => change(firstOfMonth(readField(event)))}
    />
  );
}

function YearField(props: WidgetProps) {
  const { node, change, label } = props;
  return (
    <input
      {...describeField(props)}
      aria-label={label}
      type="text"
      inputMode="numeric"
      maxLength={4}
      value={node.text.slice(0, 4)}
      onInput={(event) => change(firstOfYear(readField(event)))}
    />
  );
}

/** A calendar, and the likely days that the form allows. */
function DayField(props: WidgetProps) {
  const { form, node, change, label, id } = props;
  const likely: [string, string][] = [
    [countFromToday(0), t("Today")],
    [countFromToday(-1), t("Yesterday")],
    [countFromToday(1), t("Tomorrow")],
    [countFromToday(7), t("In a week")],
  ];
  const quick = likely.filter(([day]) => form.allows(node, day)).slice(0, QUICK);
  return (
    <div class="field">
      <div class="choices" hidden={quick.length === 0}>
        {quick.map(([day, name]) => (
          <label class="choice" key={day}>
            <input
              type="radio"
              name={`${id}-quick`}
              checked={node.text === day}
              onChange={() => change(day)}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
      <input
        {...describeField(props)}
        aria-label={label}
        type="date"
        value={node.text}
        onInput={(event) => change(readField(event))}
      />
    </div>
  );
}

export const date: QuestionType = {
  View: DateWidget,
  hasSeveralFields: true,
  describeMistyped: () => t("Choose a day."),
};
export const time: QuestionType = {
  View: TimeWidget,
  hasSeveralFields: false,
  describeMistyped: () => t("Choose a time."),
};
export const dateTime: QuestionType = {
  View: DateTimeWidget,
  hasSeveralFields: false,
  describeMistyped: () => t("Choose a day and a time."),
};
