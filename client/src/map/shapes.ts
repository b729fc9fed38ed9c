/** Outlines as shapes in plain units, with north up and widths true at their latitude. Pure. */

import type { Outlines } from "../engine/areas";

export type Point = [x: number, y: number];
export type Box = [left: number, top: number, right: number, bottom: number];

export interface Shape {
  code: string;
  rings: Point[][];
  box: Box;
  middle: Point;
}

const UNIT = 100_000; // of outlines, in a degree
const UNIT_BOX: Box = [0, 0, 1, 1];

/** How wide a degree of longitude is beside one of latitude, at the first of the corners. */
export function findWidth(areas: Outlines["areas"]): number {
  const [, latitude = 0] = Object.values(areas)[0]?.[0] ?? [];
  return Math.cos((latitude / UNIT) * (Math.PI / 180));
}

/** The corners of a ring, which is written as its first corner, then steps. */
export function readRing(ring: number[], width: number): Point[] {
  const corners: Point[] = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at < ring.length; at += 2) {
    x += ring[at]!;
    y += ring[at + 1]!;
    corners.push([(x / UNIT) * width, -y / UNIT]);
  }
  return corners;
}

/** The box around some points. */
export function boxAround(points: Point[]): Box {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The box around some boxes; the unit box around none. */
export function boxAroundAll(boxes: Box[]): Box {
  if (boxes.length === 0) return UNIT_BOX;
  return boxAround(
    boxes.flatMap(([left, top, right, bottom]): Point[] => [
      [left, top],
      [right, bottom],
    ]),
  );
}

export function makeShape(code: string, outline: number[][], width: number): Shape {
  const rings = outline.map((ring) => readRing(ring, width));
  const box = boxAround(rings.flat());
  return { code, rings, box, middle: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] };
}

export function makeShapes(areas: Outlines["areas"], width: number): Shape[] {
  return Object.entries(areas).map(([code, outline]) => makeShape(code, outline, width));
}

export function isInBox([left, top, right, bottom]: Box, [x, y]: Point): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}
