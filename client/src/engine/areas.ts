/**
 * Where a fix lies: areas by their outlines (forms/areas.py writes them), and a coarse square. The
 * fix itself goes nowhere.
 */

export interface Outlines {
  attribution?: string; // the line that the data's licence asks for
  /** By code: rings. A ring is its first corner, then steps, in 0.00001 degrees. */
  areas: Record<string, number[][]>;
}

const UNIT = 100_000;
const METRES = 111_320; // of a degree of latitude
const CELL = 500; // metres
const AROUND = 12; // places on the circle of what the phone is not sure about

/** How many edges of the ring a ray to the east crosses: odd when the place is inside. */
function crosses(ring: number[], x: number, y: number): boolean {
  let isInside = false;
  let ax = ring[0]!;
  let ay = ring[1]!;
  for (let at = 2; at < ring.length; at += 2) {
    const bx = ax + ring[at]!;
    const by = ay + ring[at + 1]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
    ax = bx;
    ay = by;
  }
  return isInside;
}

function areaAt({ areas }: Outlines, longitude: number, latitude: number): string {
  const x = longitude * UNIT;
  const y = latitude * UNIT;
  for (const [code, rings] of Object.entries(areas))
    if (rings.filter((ring) => crosses(ring, x, y)).length % 2 === 1) return code;
  return "";
}

/**
 * The codes of the areas that the phone can be in, the likeliest first; `accuracy` in metres, as
 * the phone gave it.
 */
export function findAreasAround(
  outlines: Outlines,
  longitude: number,
  latitude: number,
  accuracy: number,
): string[] {
  const codes = [areaAt(outlines, longitude, latitude)];
  const wide = METRES * Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
  for (let step = 0; step < AROUND; step++) {
    const angle = (2 * Math.PI * step) / AROUND;
    const east = Math.cos(angle) * accuracy;
    const north = Math.sin(angle) * accuracy;
    codes.push(areaAt(outlines, longitude + east / wide, latitude + north / METRES));
  }
  return [...new Set(codes)].filter(Boolean);
}

/**
 * A square of 500 m by 500 m, by row and column from the equator and Greenwich: c500:N9724:W11852.
 */
export function findGridCell(longitude: number, latitude: number): string {
  const row = Math.floor((latitude * METRES) / CELL);
  const middle = (((row + 0.5) * CELL) / METRES) * (Math.PI / 180);
  const column = Math.floor((longitude * METRES * Math.cos(middle)) / CELL);
  const named = (number: number, plus: string, minus: string): string =>
    number < 0 ? minus + String(-number) : plus + String(number);
  return `c${CELL}:${named(row, "N", "S")}:${named(column, "E", "W")}`;
}
