import { DateValue } from "../../engine/values";
import { t } from "../../i18n";
import { loadLater } from "../load_later";
import { describeField, listAppearances, type WidgetProps } from "../props";
import type { QuestionType } from "../question_type";

const QUICK = 2; // days offered beside the calendar

/** The local day so many days from today, as YYYY-MM-DD. */
function countFromToday(days: number): string {
  return new DateValue(Math.floor(DateValue.ofClock(new Date()).days) + days).toString();
}

const TimeWidget = loadLater((widgets) => widgets.TimeWidget);
const DateTimeWidget = loadLater((widgets) => widgets.DateTimeWidget);
const MonthField = loadLater((widgets) => widgets.MonthField);
const YearField = loadLater((widgets) => widgets.YearField);

function DateWidget(props: WidgetProps) {
  const appearances = listAppearances(props.node);
  if (appearances.includes("month-year")) return <MonthField {...props} />;
  if (appearances.includes("year")) return <YearField {...props} />;
  return <DayField {...props} />;
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
        onInput={(event) => change(event.currentTarget.value)}
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
