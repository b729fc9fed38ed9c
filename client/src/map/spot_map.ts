/**
 * Where and when do we go: a map, a grid of days and times that narrows it, the answer as
 * sentences, and all as a table.
 */

import type { Outlines } from "../engine/areas";
import { Chart, CLASSES, type Place } from "./area_map";

type Both = Record<string, string>;

export interface Layer {
  id: string;
  title: Both;
  total: string;
  before: string;
  areas: Record<string, { n: number | null; was: number | null; spot: string }>;
  times: [area: string, weekday: string, band: string, n: number][];
}

/** A map's numbers as the centre built them: rounded, none under the threshold. */
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
export type Words = Record<
  | "all"
  | "areas"
  | "before"
  | "chart"
  | "closer"
  | "cold"
  | "downFrom"
  | "farther"
  | "few"
  | "go"
  | "hot"
  | "map"
  | "nothing"
  | "number"
  | "place"
  | "sentence"
  | "spot"
  | "table"
  | "times"
  | "upFrom"
  | "warm"
  | "what"
  | "when"
  | "whole",
  string
>;

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const SENTENCES = 8;

const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** 16h-20h as a reader writes it: 16:00–20:00, 16 h – 20 h. */
export function bandName(band: string, language: string): string {
  const [from = "", to = ""] = band.split("-").map((part) => Number(part.replace("h", "")));
  return language === "fr" ? `${from} h – ${to || 24} h` : `${from}:00–${to || 24}:00`;
}

export function dayName(day: string, language: string, style: "long" | "short" = "long"): string {
  return new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" }).format(
    Date.UTC(2024, 0, 1 + DAYS.indexOf(day)),
  );
}

/** Put the page into an element; says how to take it away. */
export function showSpots(
  root: HTMLElement,
  spots: Spots,
  outlines: Outlines | null,
  viewer: string,
  words: Words,
  language: string,
): void {
  let layer = spots.layers.find((one) => Object.keys(one.areas).length > 0) ?? spots.layers[0];
  const hasMap = outlines !== null && Object.keys(outlines.areas).length > 0;
  let outlined = "";
  const chosen = new Set<string>(); // weekday/band; empty: all times
  const nameOf = (code: string): string => spots.names[code]?.[language] ?? code;

  const chart = make("canvas", { class: "chart", role: "img", "aria-label": words.map });
  const said = make("p", { class: "soft", role: "status" });
  const drawn = new Chart(chart, viewer, (code) => point(code));
  const narrowed = make("div", { class: "when", role: "grid", "aria-label": words.times });
  const answer = make("ol", { class: "go" });
  const body = make("tbody");
  const layers = make("div", { class: "layers", role: "group", "aria-label": words.what });

  function point(code: string): void {
    drawn.mark(code);
    if (code) said.textContent = told(code);
  }

  function told(code: string): string {
    const n = counts().get(code);
    const was = chosen.size ? null : layer?.areas[code]?.was;
    if (!n) return `${nameOf(code)}: ${words.few}`;
    const change =
      was && was !== n ? ` (${fill(n > was ? words.upFrom : words.downFrom, { n: was })})` : "";
    return `${nameOf(code)}: ${n}${change}`;
  }

  /** What each area holds in the chosen times. */
  function counts(): Map<string, number> {
    const found = new Map<string, number>();
    if (!layer) return found;
    if (!chosen.size) {
      for (const [code, { n }] of Object.entries(layer.areas)) if (n) found.set(code, n);
      return found;
    }
    for (const [code, day, band, n] of layer.times)
      if (chosen.has(`${day}/${band}`)) found.set(code, (found.get(code) ?? 0) + n);
    return found;
  }

  function refresh(): void {
    const now = counts();
    const most = Math.max(1, ...now.values());
    const places = new Map<string, Place>();
    for (const code of new Set([...now.keys(), ...Object.keys(layer?.areas ?? {})])) {
      const n = now.get(code) ?? 0;
      const spot = chosen.size ? "" : (layer?.areas[code]?.spot ?? "");
      places.set(code, {
        kind: n ? Math.max(1, Math.ceil((CLASSES * n) / most)) : 0,
        spot,
        label: n ? String(n) : "",
      });
    }
    if (outlines && outlined !== layer?.id) {
      drawn.outline(layer?.id === "cells" ? (spots.cells ?? {}) : outlines.areas, outlines.areas);
      outlined = layer?.id ?? "";
    }
    drawn.fill(places);
    const ordered = [...now].sort((a, b) => b[1] - a[1]);
    body.replaceChildren(
      ...ordered.map(([code, n]) => {
        const { was = null, spot = "" } = layer?.areas[code] ?? {};
        const kind = chosen.size || !spot ? "" : words[spot as "hot" | "warm" | "cold"];
        return make(
          "tr",
          {},
          make("th", { scope: "row" }, nameOf(code)),
          make("td", { "data-label": words.number }, String(n)),
          make(
            "td",
            { "data-label": words.before },
            chosen.size ? "–" : was === null ? words.few : String(was),
          ),
          make("td", { "data-label": words.spot }, kind || "–"),
        );
      }),
    );
    const best = (layer?.times ?? [])
      .filter(([, day, band]) => !chosen.size || chosen.has(`${day}/${band}`))
      .sort((a, b) => b[3] - a[3])
      .slice(0, SENTENCES);
    answer.replaceChildren(
      ...best.map(([code, day, band, n]) => {
        const values = {
          place: nameOf(code),
          day: dayName(day, language),
          time: bandName(band, language),
          n,
        };
        const button = make(
          "button",
          { type: "button", class: "link" },
          fill(words.sentence, values),
        );
        button.addEventListener("click", () => point(code));
        return make("li", {}, button);
      }),
    );
    if (!best.length) answer.replaceChildren(make("li", { class: "soft" }, words.nothing));
    said.textContent = `${layer?.title[language] ?? ""}: ${layer?.total.startsWith("<") ? words.few : (layer?.total ?? "")}`;
    grid();
    for (const part of root.querySelectorAll<HTMLElement>(".timed"))
      part.hidden = layer?.id === "cells";
  }

  function grid(): void {
    const sums = new Map<string, number>();
    for (const [, day, band, n] of layer?.times ?? []) {
      const key = `${day}/${band}`;
      sums.set(key, (sums.get(key) ?? 0) + n);
    }
    const most = Math.max(1, ...sums.values());
    const focused = (document.activeElement as HTMLElement | null)?.dataset["key"];
    const toggle = (keys: string[]): void => {
      const isAll = keys.every((key) => chosen.has(key));
      for (const key of keys)
        if (isAll) chosen.delete(key);
        else chosen.add(key);
      refresh();
    };
    const head = make(
      "div",
      { role: "row", class: "line" },
      make("span", { role: "columnheader" }, make("span", { class: "hidden" }, words.when)),
    );
    for (const band of spots.bands) {
      const button = make(
        "button",
        { type: "button", tabindex: "-1", "data-key": band },
        bandName(band, language).split(/[–:]/)[0]!.trim(),
      );
      button.setAttribute("aria-label", bandName(band, language));
      button.addEventListener("click", () => toggle(DAYS.map((day) => `${day}/${band}`)));
      head.append(make("span", { role: "columnheader" }, button));
    }
    const lines = DAYS.map((day) => {
      const name = make(
        "button",
        { type: "button", tabindex: "-1", "data-key": day },
        dayName(day, language, "short"),
      );
      name.setAttribute("aria-label", dayName(day, language));
      name.addEventListener("click", () => toggle(spots.bands.map((band) => `${day}/${band}`)));
      const line = make(
        "div",
        { role: "row", class: "line" },
        make("span", { role: "rowheader" }, name),
      );
      for (const band of spots.bands) {
        const key = `${day}/${band}`;
        const n = sums.get(key) ?? 0;
        const cell = make("button", {
          type: "button",
          "data-key": key,
          tabindex: "-1",
          "aria-pressed": String(chosen.has(key)),
          "aria-label": `${dayName(day, language)}, ${bandName(band, language)}: ${n || words.few}`,
          class: `heat h${n ? Math.max(1, Math.ceil((CLASSES * n) / most)) : 0}`,
        });
        cell.textContent = n ? String(n) : "·";
        cell.addEventListener("click", () => toggle([key]));
        line.append(make("span", { role: "gridcell" }, cell));
      }
      return line;
    });
    narrowed.replaceChildren(head, ...lines);
    const buttons = [...narrowed.querySelectorAll<HTMLElement>("button")];
    (buttons.find((one) => one.dataset["key"] === focused) ?? buttons[0])!.tabIndex = 0;
    if (focused) buttons.find((one) => one.dataset["key"] === focused)?.focus();
    everything.hidden = chosen.size === 0;
  }

  narrowed.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1000, ArrowDown: 1000 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...narrowed.querySelectorAll<HTMLElement>("button")];
    const width = spots.bands.length + 1;
    const at = buttons.indexOf(document.activeElement as HTMLElement) + 1; // the corner holds no button
    const to = at + (Math.abs(step) > 1 ? Math.sign(step) * width : step);
    const next = buttons[to - 1];
    if (!next) return;
    for (const button of buttons) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  const everything = make("button", { type: "button", class: "btn quiet" }, words.all);
  everything.addEventListener("click", () => {
    chosen.clear();
    refresh();
  });
  for (const one of spots.layers) {
    const button = make(
      "button",
      { type: "button", class: "btn quiet", "aria-pressed": String(one === layer) },
      one.title[language] ?? one.id,
    );
    button.addEventListener("click", () => {
      layer = one;
      chosen.clear();
      for (const other of layers.children)
        other.setAttribute("aria-pressed", String(other === button));
      refresh();
      if (hasMap) drawn.fit([...counts().keys()]);
    });
    layers.append(button);
  }
  const control = (name: string, text: string, act: () => void): HTMLElement => {
    const button = make("button", { type: "button", class: "btn quiet", "aria-label": name }, text);
    button.addEventListener("click", act);
    return button;
  };
  const heads = [words.place, words.number, words.before, words.spot].map((one) =>
    make("th", { scope: "col" }, one),
  );
  root.replaceChildren(
    layers,
    make("section", { class: "card timed" }, make("h2", {}, words.go), answer),
    make(
      "section",
      { class: "card timed" },
      make("div", { class: "row" }, make("h2", {}, words.when), everything),
      narrowed,
    ),
    ...(hasMap
      ? [
          make(
            "section",
            { class: "card" },
            make(
              "div",
              { class: "row" },
              make("h2", {}, words.chart),
              make(
                "div",
                { class: "row" },
                control(words.farther, "−", () => drawn.closer(1 / 1.5)),
                control(words.closer, "+", () => drawn.closer(1.5)),
                control(words.whole, "⤢", () => drawn.closer(0)),
              ),
            ),
            chart,
            said,
            make("p", { class: "soft" }, outlines.attribution ?? ""),
          ),
        ]
      : [said]),
    make(
      "section",
      { class: "card" },
      make("h2", {}, words.table),
      make(
        "table",
        { class: "list areas" },
        make("caption", { class: "hidden" }, words.areas),
        make("thead", {}, make("tr", {}, ...heads)),
        body,
      ),
    ),
  );
  refresh();
  if (hasMap) requestAnimationFrame(() => drawn.fit([...counts().keys()]));
}
