/** The map itself, with its zoom, and in words what it shows. */

import { useEffect, useRef } from "preact/hooks";
import type { Outlines } from "../engine/areas";
import { AreaMap } from "./area_map";
import type { Place, SpotWords } from "./spot_data";

interface MapViewProps {
  areas: Outlines["areas"]; // what is drawn: neighbourhoods, or squares
  outlines: Outlines; // of the neighbourhoods, to see where squares are
  places: Map<string, Place>;
  marked: string;
  status: string;
  legend: string;
  viewer: string;
  words: SpotWords;
  choose: (code: string) => void;
}

const ZOOM_STEP = 1.5;

export function MapView(props: MapViewProps) {
  const { areas, outlines, places, marked, status, legend, viewer, words, choose } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef<AreaMap | null>(null);
  const latest = useRef(choose);
  latest.current = choose;
  useEffect(() => {
    map.current = new AreaMap(canvas.current!, viewer, (code) => latest.current(code));
  }, []);
  useEffect(() => map.current!.setAreas(areas, outlines.areas), [areas]);
  useEffect(() => map.current!.setPlaces(places), [places, areas]);
  useEffect(() => map.current!.mark(marked), [marked]);
  // Another layer, or the first one once it is on the screen: zoom to what it shows.
  useEffect(() => {
    const codes = [...places]
      .filter(([, place]) => place.grade > 0 || place.isGap)
      .map(([code]) => code);
    const frame = requestAnimationFrame(() => map.current!.zoomTo(codes));
    return () => cancelAnimationFrame(frame);
  }, [areas]);
  return (
    <section class="card wide">
      <div class="row">
        <h2>{words.chart}</h2>
        <div class="row">
          <Control name={words.farther} act={() => map.current!.zoomBy(1 / ZOOM_STEP)}>
            −
          </Control>
          <Control name={words.closer} act={() => map.current!.zoomBy(ZOOM_STEP)}>
            +
          </Control>
          <Control name={words.whole} act={() => map.current!.zoomBy(0)}>
            ⤢
          </Control>
        </div>
      </div>
      <canvas class="chart" role="img" aria-label={words.map} ref={canvas} />
      <p class="soft" role="status">
        {status}
      </p>
      <p class="soft">
        {legend}
        <br />
        {outlines.attribution}
      </p>
    </section>
  );
}

function Control({ name, act, children }: { name: string; act: () => void; children: string }) {
  return (
    <button type="button" class="btn quiet" aria-label={name} onClick={act}>
      {children}
    </button>
  );
}
