/** Which of two moments a time is that the clock shows twice, in the night when it is put back. */

import { useEffect } from "preact/hooks";
import { currentLanguage, t } from "../../i18n";
import type { WidgetProps } from "../props";

const HOUR = 3_600_000; // milliseconds
const JUST_NOW = 600_000; // milliseconds

/** A time of the clock with the offset that it has at a moment. */
function withOffset(text: string, moment: number): string {
  const offset = -new Date(moment).getTimezoneOffset(); // minutes, east of Greenwich positive
  const two = (number: number): string => String(Math.trunc(number)).padStart(2, "0");
  const distance = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${two(distance / 60)}:${two(distance % 60)}`;
  return `${text.slice(0, 16)}:00.000${zone}`;
}

/** The two moments of a time that is shown twice, as answers. */
export function listMoments(text: string): [answer: string, moment: number][] {
  const first = Date.parse(text.slice(0, 16));
  return [first, first + HOUR].map((moment) => [withOffset(text, moment), moment]);
}

export function TwiceShown({ node, change, id }: WidgetProps) {
  const moments = listMoments(node.text);
  const isKnown = moments.some(([answer]) => answer === node.text);
  useEffect(() => {
    // What the phone filled in just now is of this hour.
    const [now] = moments.filter(([, moment]) => Math.abs(Date.now() - moment) < JUST_NOW);
    if (now && !isKnown) change(now[0]);
  }, [node.text]);
  const format = new Intl.DateTimeFormat(currentLanguage(), {
    hour: "numeric",
    minute: "numeric",
    timeZoneName: "short",
  });
  return (
    <fieldset>
      <legend>{t("The clock showed this time twice. Which one was it?")}</legend>
      <div class="choices">
        {moments.map(([answer, moment]) => (
          <label class="choice" key={answer}>
            <input
              type="radio"
              name={`${id}-twice`}
              checked={node.text === answer}
              onChange={() => change(answer)}
            />
            <span>{format.format(moment)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
