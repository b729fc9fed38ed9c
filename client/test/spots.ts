/** A map's numbers as the centre sends them, for tests: three areas, two layers. */

import type { Outlines } from "../src/engine/areas";
import type { Spots, SpotWords } from "../src/map/spot_data";

const named = (name: string) => ({ en: name, fr: `${name} (fr)` });

export function makeSpots(): Spots {
  return {
    period: "2026-10",
    first: "2026-10-26",
    last: "2026-11-22",
    threshold: 10,
    bands: ["08h-12h", "20h-24h"],
    names: { a: named("Rexdale"), b: named("Kipling"), c: named("Jane") },
    layers: [
      {
        id: "contacts",
        title: named("Contacts"),
        total: "50",
        before: "35",
        areas: {
          a: { n: 40, was: 25 },
          b: { n: 10, was: 10 },
          c: { n: null, was: null },
        },
        times: [
          ["b", "fri", "20h-24h", 5],
          ["a", "fri", "20h-24h", 15],
          ["a", "mon", "08h-12h", 5],
        ],
        when: [
          ["fri", "20h-24h", 25],
          ["mon", "08h-12h", 10],
        ],
        busy: [["fri", "20h-24h"]],
        plan: {
          states: {
            week: { a: "few", b: "few", c: "usual" },
            weekend: { a: "more", b: "usual", c: "not_there" },
          },
        },
      },
      { id: "needs", title: named("Needs"), total: "<10", before: "", areas: {}, times: [] },
    ],
  };
}

const WORD_NAMES: (keyof SpotWords)[] = [
  "areas",
  "before",
  "chart",
  "closer",
  "farther",
  "go",
  "map",
  "number",
  "place",
  "spot",
  "table",
  "times",
  "what",
  "when",
  "whole",
];

export const WORDS: SpotWords = {
  ...(Object.fromEntries(WORD_NAMES.map((name) => [name, `(${name})`])) as SpotWords),
  all: "All times",
  busy: "Busier: {times}",
  even: "None stands out",
  few: "too few",
  legend: "Dark: more",
  more: "More than expected",
  not_there: "Not there",
  nothing: "Nothing to name",
  sentence: "{place}: {day}, {time} ({n})",
  usual: "As expected",
};

/** Squares of a hundredth of a degree beside each other, at the latitude of Toronto. */
export function makeOutlines(): Outlines {
  const square = (at: number): number[][] => [
    [-7_950_000 + at * 1000, 4_370_000, 1000, 0, 0, 1000, -1000, 0],
  ];
  return { attribution: "City of Toronto", areas: { a: square(0), b: square(1), c: square(2) } };
}
