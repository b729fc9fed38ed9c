/** Moments, months and years, which few forms ask for. */

import { type Piece, usePiece } from "../piece";
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

const twiceShown: Piece<typeof import("./twice_shown")> = { load: () => import("./twice_shown") };

/** Whether the clock shows a time twice: it is put back by an hour after it. */
function isShownTwice(text: string): boolean {
  const first = Date.parse(text.slice(0, 16));
  return new Date(first).getHours() === new Date(first + 3_600_000).getHours();
}

function WhichOne(props: WidgetProps) {
  const twice = usePiece(twiceShown);
  return twice && twice !== "failed" ? <twice.TwiceShown {...props} /> : null;
}

export function DateTimeWidget(props: WidgetProps) {
  const { node, change } = props;
  return (
    <>
      <input
        {...describeField(props)}
        type="datetime-local"
        value={node.text.slice(0, 16)}
        onInput={(event) => change(readField(event))}
      />
      {isShownTwice(node.text) && <WhichOne {...props} />}
    </>
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
