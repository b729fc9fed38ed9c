/**
 * Where and when do we go: a map, a grid of days and times that narrows it, the answer as
 * sentences, and all as a table.
 */

import { render } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Outlines } from "../engine/areas";
import { MapView } from "./map_view";
import {
  chooseFirstLayer,
  countByArea,
  findStates,
  listBest,
  makePlaces,
  SpotReader,
  toggleTimes,
  type ChosenTimes,
  type Layer,
  type Night,
  type Spots,
  type SpotWords,
} from "./spot_data";
import { TimeGrid } from "./time_grid";

export interface SpotMapProps {
  spots: Spots;
  outlines: Outlines | null;
  viewer: string; // whose map it is, written over it
  words: SpotWords;
  language: string;
  night: Night; // whose states fill the map
}

const NO_TIMES: ChosenTimes = new Set();

export function SpotMap({ spots, outlines, viewer, words, language, night }: SpotMapProps) {
  const [selected, setSelected] = useState(() => ({ layer: chooseFirstLayer(spots) }));
  const { layer } = selected;
  const [chosen, setChosen] = useState(NO_TIMES);
  const [marked, setMarked] = useState("");
  const [described, setDescribed] = useState(""); // the area that was pointed at last
  const reader = useMemo(() => new SpotReader(spots, words, language, night), [spots]);
  const counts = useMemo(() => countByArea(layer, chosen), [layer, chosen]);
  const places = useMemo(
    () => makePlaces(layer, chosen, counts, night, (code) => reader.nameArea(code)),
    [counts],
  );
  const isCells = layer?.id === "cells";
  const areas = useMemo(
    () => ({ ...(isCells ? spots.cells : outlines?.areas) }),
    [selected], // another object each time a layer is chosen: the map zooms to it
  );
  const hasMap = outlines !== null && Object.keys(outlines.areas).length > 0;
  const point = (code: string): void => {
    setMarked(code);
    if (code) setDescribed(code);
  };
  const chooseTimes = (times: ChosenTimes): void => {
    setChosen(times);
    setDescribed("");
  };
  const chooseLayer = (next: Layer): void => {
    setSelected({ layer: next });
    chooseTimes(NO_TIMES);
  };
  const status = described
    ? reader.describeArea(layer, chosen, described)
    : reader.describeLayer(layer);
  const common = { reader, layer, chosen };
  return (
    <>
      <Layers reader={reader} layers={spots.layers} layer={layer} choose={chooseLayer} />
      {hasMap ? (
        <MapView
          {...{ areas, outlines, places, marked, status, viewer, words }}
          legend={findStates(layer, chosen, night) ? words.legend : ""}
          choose={point}
        />
      ) : (
        <p class="soft" role="status">
          {status}
        </p>
      )}
      <section class="card timed" hidden={isCells}>
        <h2>{words.go}</h2>
        <Answer {...common} point={point} />
      </section>
      <section class="card timed" hidden={isCells}>
        <div class="row">
          <h2>{words.when}</h2>
          <button
            type="button"
            class="btn quiet"
            hidden={chosen.size === 0}
            onClick={() => chooseTimes(NO_TIMES)}
          >
            {words.all}
          </button>
        </div>
        <p>{reader.describeBusy(layer)}</p>
        <TimeGrid
          {...common}
          bands={spots.bands}
          toggle={(keys) => chooseTimes(toggleTimes(chosen, keys))}
        />
      </section>
      <section class="card">
        <h2>{words.table}</h2>
        <AreaTable {...common} counts={counts} />
      </section>
    </>
  );
}

interface PartProps {
  reader: SpotReader;
  layer: Layer | undefined;
  chosen: ChosenTimes;
}

interface LayersProps {
  reader: SpotReader;
  layers: Layer[];
  layer: Layer | undefined;
  choose: (layer: Layer) => void;
}

function Layers({ reader, layers, layer, choose }: LayersProps) {
  return (
    <div class="layers" role="group" aria-label={reader.words.what}>
      {layers.map((each) => (
        <button
          type="button"
          key={each.id}
          class="btn quiet"
          aria-pressed={each === layer}
          onClick={() => choose(each)}
        >
          {reader.nameLayer(each)}
        </button>
      ))}
    </div>
  );
}

/** The answer in sentences; each points to its place on the map. */
function Answer({ reader, layer, chosen, point }: PartProps & { point: (code: string) => void }) {
  const best = listBest(layer, chosen);
  return (
    <ul class="go">
      {best.map((time) => (
        <li key={time.join("/")}>
          <button type="button" class="link" onClick={() => point(time[0])}>
            {reader.describeBest(time)}
          </button>
        </li>
      ))}
      {best.length === 0 && <li class="soft">{reader.words.nothing}</li>}
    </ul>
  );
}

function AreaTable({ reader, layer, chosen, counts }: PartProps & { counts: Map<string, number> }) {
  const { words } = reader;
  const ordered = [...counts].sort((a, b) => b[1] - a[1]);
  return (
    <table class="list areas">
      <caption class="hidden">{words.areas}</caption>
      <thead>
        <tr>
          {[words.place, words.number, words.before, words.spot].map((head) => (
            <th scope="col" key={head}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {ordered.map(([code, n]) => (
          <tr key={code}>
            <th scope="row">{reader.nameArea(code)}</th>
            <td data-label={words.number}>{n}</td>
            <td data-label={words.before}>{reader.describeBefore(layer, chosen, code)}</td>
            <td data-label={words.spot}>{reader.describeSpot(layer, chosen, code)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Put the map into an element in place of what is there. */
export function renderSpotMap(root: HTMLElement, props: SpotMapProps): void {
  root.replaceChildren();
  render(<SpotMap {...props} />, root);
}
