/** A map's numbers as the centre built them, and what is read out of them. Pure. */

export type Both = Record<string, string>; // by language

export interface Layer {
  id: string;
  title: Both;
  total: string;
  before: string;
  areas: Record<string, { n: number | null; was: number | null }>;
  times: TimeCount[];
  when?: [weekday: string, band: string, n: number][]; // over all areas, counted by itself
  busy?: [weekday: string, band: string][]; // busier than usual beyond chance
  plan?: { states: Record<Night, Record<string, State>> }; // of an older map or of squares: none
}

export type Night = "week" | "weekend";

/** What is said of an area for the hours that staff were there at night. */
export type State = "more" | "usual" | "few" | "not_there";

export type TimeCount = [area: string, weekday: string, band: string, n: number];

/** Rounded, none under the threshold. */
export interface Spots {
  period: string;
  first: string;
  last: string;
  threshold: number;
  bands: string[];
  layers: Layer[];
  names: Record<string, Both>;
  cells?: Record<string, number[][]>;
}

/** The words of the page, in the reader's language; {x} stands for a value. */
export type SpotWords = Record<
  | "all"
  | "areas"
  | "before"
  | "busy"
  | "chart"
  | "closer"
  | "even"
  | "farther"
  | "few"
  | "go"
  | "legend"
  | "map"
  | "more"
  | "not_there"
  | "nothing"
  | "number"
  | "place"
  | "sentence"
  | "spot"
  | "table"
  | "times"
  | "usual"
  | "what"
  | "when"
  | "whole",
  string
>;

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
export const GRADES = 5; // how strong a colour can be; 0 is none
const SENTENCES = 8;

/** Times as weekday/band, such as fri/20h-24h; empty for all times. */
export type ChosenTimes = ReadonlySet<string>;

export const keyOfTime = (day: string, band: string): string => `${day}/${band}`;

/** Put values in place of {names} in a text. */
export function fillIn(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** 16h-20h as a reader writes it: 16:00–20:00, 16 h – 20 h. */
export function formatBand(band: string, language: string): string {
  const [from = "", to = ""] = band.split("-").map((part) => Number(part.replace("h", "")));
  return language === "fr" ? `${from} h – ${to || 24} h` : `${from}:00–${to || 24}:00`;
}

/** When a band begins, as the head of a column: 16, 16 h. */
export function formatBandStart(band: string, language: string): string {
  return formatBand(band, language).split(/[–:]/)[0]!.trim();
}

export function formatWeekday(
  day: string,
  language: string,
  style: "long" | "short" = "long",
): string {
  const monday = Date.UTC(2024, 0, 1);
  const date = monday + DAYS.indexOf(day) * 86_400_000;
  return new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" }).format(date);
}

/** How the areas are at night, where all times are shown; undefined where there is no plan. */
export function findStates(
  layer: Layer | undefined,
  chosen: ChosenTimes,
  night: Night,
): Record<string, State> | undefined {
  return chosen.size > 0 ? undefined : layer?.plan?.states[night];
}

/** The layer to begin with: the first that shows anything. */
export function chooseFirstLayer({ layers }: Spots): Layer | undefined {
  return layers.find((layer) => Object.keys(layer.areas).length > 0) ?? layers[0];
}

/** What each area has in the chosen times; areas with nothing to show are left out. */
export function countByArea(layer: Layer | undefined, chosen: ChosenTimes): Map<string, number> {
  const counts = new Map<string, number>();
  if (!layer) return counts;
  if (chosen.size === 0) {
    for (const [code, { n }] of Object.entries(layer.areas)) if (n) counts.set(code, n);
    return counts;
  }
  for (const [code, day, band, n] of layer.times) {
    if (chosen.has(keyOfTime(day, band))) counts.set(code, (counts.get(code) ?? 0) + n);
  }
  return counts;
}

/**
 * What each time has over all areas: weekday/band → number. Never the sum of what shows by area:
 * most does not.
 */
export function countByTime(layer: Layer | undefined): Map<string, number> {
  return new Map((layer?.when ?? []).map(([day, band, n]) => [keyOfTime(day, band), n]));
}

/**
 * Places and times with the largest numbers among the chosen times, in the order of the week: what
 * differs by rounding is not ranked. Equal numbers are all there or none of them; more than
 * SENTENCES that are equal are no answer.
 */
export function listBest(layer: Layer | undefined, chosen: ChosenTimes): TimeCount[] {
  const times = (layer?.times ?? []).filter(
    ([, day, band]) => chosen.size === 0 || chosen.has(keyOfTime(day, band)),
  );
  const numbers = times.map(([, , , n]) => n).sort((a, b) => b - a);
  const next = numbers[SENTENCES] ?? -1; // the largest that has no room
  return times
    .filter(([, , , n]) => n > next)
    .sort((a, b) => DAYS.indexOf(a[1]) - DAYS.indexOf(b[1]) || a[2].localeCompare(b[2]));
}

/** The times that are busier than usual beyond chance, in the order of the week. */
export function listBusy(layer: Layer | undefined): [weekday: string, band: string][] {
  const order = ([day, band]: [string, string]): string => `${DAYS.indexOf(day)} ${band}`;
  return [...(layer?.busy ?? [])].sort((a, b) => order(a).localeCompare(order(b)));
}

/** How strong the colour of a number is beside the largest: 0 for none, up to GRADES. */
export function gradeOf(n: number, most: number): number {
  return n ? Math.max(1, Math.ceil((GRADES * n) / most)) : 0;
}

/** The largest of some numbers, at least 1. */
export const largest = (counts: Map<string, number>): number => Math.max(1, ...counts.values());

/** The chosen times once some are switched: off when all of them were on, else on. */
export function toggleTimes(chosen: ChosenTimes, keys: string[]): ChosenTimes {
  const next = new Set(chosen);
  const areAllOn = keys.every((key) => chosen.has(key));
  for (const key of keys) {
    if (areAllOn) next.delete(key);
    else next.add(key);
  }
  return next;
}

/** What an area of the map shows: how strong its colour is, its outline, the number on it. */
export interface Place {
  grade: number; // 0: nothing to show, to GRADES: most
  isGap: boolean; // nobody was there
  label: string;
}

/** What each area of a layer shows: how it is at night, or its number in the chosen times. */
export function makePlaces(
  layer: Layer | undefined,
  chosen: ChosenTimes,
  counts: Map<string, number>,
  night: Night,
  nameArea: (code: string) => string,
): Map<string, Place> {
  const places = new Map<string, Place>();
  const states = findStates(layer, chosen, night);
  for (const [code, state] of Object.entries(states ?? {})) {
    const grade = state === "more" ? GRADES : Number(state === "usual");
    places.set(code, { grade, isGap: state === "not_there", label: nameArea(code) });
  }
  if (states) return places;
  const most = largest(counts);
  for (const [code, n] of counts) {
    places.set(code, { grade: gradeOf(n, most), isGap: false, label: String(n) });
  }
  return places;
}

/** What a map says in words, for one reader. */
export class SpotReader {
  constructor(
    private readonly spots: Spots,
    readonly words: SpotWords,
    readonly language: string,
    readonly night: Night,
  ) {}

  nameArea(code: string): string {
    return this.spots.names[code]?.[this.language] ?? code;
  }

  nameLayer(layer: Layer): string {
    return layer.title[this.language] ?? layer.id;
  }

  nameTime(day: string, band: string): string {
    return `${formatWeekday(day, this.language)}, ${formatBand(band, this.language)}`;
  }

  /** Which times are busier than usual, over all areas; or that none stands out. */
  describeBusy(layer: Layer | undefined): string {
    const times = listBusy(layer).map(([day, band]) => this.nameTime(day, band));
    return times.length ? fillIn(this.words.busy, { times: times.join("; ") }) : this.words.even;
  }

  /** A layer and its total, which is not said when it is too small. */
  describeLayer(layer: Layer | undefined): string {
    const total = layer?.total ?? "";
    const title = layer?.title[this.language] ?? "";
    return `${title}${this.colon} ${total.startsWith("<") ? this.words.few : total}`;
  }

  /** An area with its number. */
  describeArea(layer: Layer | undefined, chosen: ChosenTimes, code: string): string {
    const n = countByArea(layer, chosen).get(code);
    return `${this.nameArea(code)}${this.colon} ${n ?? this.words.few}`;
  }

  /** A colon as the language sets it. */
  get colon(): string {
    return this.language === "fr" ? "\u00a0:" : ":";
  }

  describeBest([code, day, band, n]: TimeCount): string {
    return fillIn(this.words.sentence, {
      place: this.nameArea(code),
      day: formatWeekday(day, this.language),
      time: formatBand(band, this.language),
      n,
    });
  }

  /** An area's number in the period before, as the table has it. */
  describeBefore(layer: Layer | undefined, chosen: ChosenTimes, code: string): string {
    if (chosen.size > 0) return "–";
    const was = layer?.areas[code]?.was ?? null;
    return was === null ? this.words.few : String(was);
  }

  /** How an area is for our hours there at night, as the table has it. */
  describeSpot(layer: Layer | undefined, chosen: ChosenTimes, code: string): string {
    const state = findStates(layer, chosen, this.night)?.[code];
    return state ? this.words[state] : "–";
  }
}
