/** A grid of weekdays and times of day that narrows the map. */

import { useEffect, useRef, useState } from "preact/hooks";
import {
  countByTime,
  DAYS,
  formatBand,
  formatBandStart,
  formatWeekday,
  gradeOf,
  keyOfTime,
  largest,
  type ChosenTimes,
  type Layer,
  type SpotReader,
} from "./spot_data";

interface TimeGridProps {
  reader: SpotReader;
  bands: string[];
  layer: Layer | undefined;
  chosen: ChosenTimes;
  toggle: (keys: string[]) => void;
}

const ROW = 1000; // a step that means a row up or down, not that many buttons
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -ROW,
  ArrowDown: ROW,
};

/**
 * The place in the list of buttons to go to from one of them; the corner holds no button. May lie
 * outside the list.
 */
export function findNext(from: number, key: string, bands: number): number {
  const step = STEPS[key] ?? 0;
  const width = bands + 1;
  return from + (Math.abs(step) === ROW ? Math.sign(step) * width : step);
}

/** The grid is one stop for the tab key; arrows move within it. */
export function TimeGrid({ reader, bands, layer, chosen, toggle }: TimeGridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const first = bands[0] ?? "";
  const [stop, setStop] = useState(first);
  // Changed from outside the grid: the tab key leads to its beginning again.
  useEffect(() => {
    if (!grid.current!.contains(document.activeElement)) setStop(first);
  }, [layer, chosen]);
  const { words, language } = reader;
  const counts = countByTime(layer);
  const most = largest(counts);
  const move = (event: KeyboardEvent): void => {
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const buttons = [...grid.current!.querySelectorAll<HTMLElement>("button")];
    const from = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[findNext(from, event.key, bands.length)]?.focus();
  };
  const common = (key: string) => ({
    type: "button" as const,
    "data-key": key,
    tabIndex: key === stop ? 0 : -1,
    onFocus: () => setStop(key),
  });
  return (
    <div class="when" role="grid" aria-label={words.times} ref={grid} onKeyDown={move}>
      <div role="row" class="line">
        <span role="columnheader">
          <span class="hidden">{words.when}</span>
        </span>
        {bands.map((band) => (
          <span role="columnheader" key={band}>
            <button
              {...common(band)}
              aria-label={formatBand(band, language)}
              onClick={() => toggle(DAYS.map((day) => keyOfTime(day, band)))}
            >
              {formatBandStart(band, language)}
            </button>
          </span>
        ))}
      </div>
      {DAYS.map((day) => (
        <div role="row" class="line" key={day}>
          <span role="rowheader">
            <button
              {...common(day)}
              aria-label={formatWeekday(day, language)}
              onClick={() => toggle(bands.map((band) => keyOfTime(day, band)))}
            >
              {formatWeekday(day, language, "short").replace(".", "")}
            </button>
          </span>
          {bands.map((band) => {
            const key = keyOfTime(day, band);
            const n = counts.get(key) ?? 0;
            return (
              <span role="gridcell" key={key}>
                <button
                  {...common(key)}
                  aria-pressed={chosen.has(key)}
                  aria-label={`${reader.nameTime(day, band)}${reader.colon} ${n || words.few}`}
                  class={`heat h${gradeOf(n, most)}`}
                  onClick={() => toggle([key])}
                >
                  {n || "·"}
                </button>
              </span>
            );
          })}
        </div>
      ))}
    </div>
  );
}
