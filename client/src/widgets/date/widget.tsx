/** Moments, months and years, which few forms ask for. */

import { describeField, type WidgetProps } from "../props";

const readField = (event: Event): string => (event.target as HTMLInputElement).value;

/** A month that was chosen, as the first of its days; "" for none. */
export function firstOfMonth(month: string): string {
  return month && `${month}-01`;
}

/** A year that was typed, as the first of its days; what is no year yet stays as it was typed. */
export function firstOfYear(year: string): string {
  return /^\d{4}$/.test(year) ? `${year}-01-01` : year;
}

export function TimeWidget(props: WidgetProps) {
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

export function DateTimeWidget(props: WidgetProps) {
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

export function MonthField(props: WidgetProps) {
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

export function YearField(props: WidgetProps) {
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
