/** Areas, distances and fences on the earth; the twin of forms/expressions/geometry.py. */

import { parsePoints } from "./points";
import { fixed, type Value } from "./values";

const RADIUS = 6_378_100; // metres

const radians = (degrees: number): number => degrees * (Math.PI / 180);

export function distance(texts: Value[]): number {
  const points = parsePoints(texts);
  if (!points) return NaN;
  let total = 0;
  points.slice(1).forEach(([lat2, lon2], index) => {
    const [lat1, lon1] = points[index]!;
    const dlat = radians(lat2 - lat1);
    const dlon = radians(lon2 - lon1);
    const a =
      Math.sin(dlat / 2) ** 2 +
      Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * Math.sin(dlon / 2) ** 2;
    total += 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(a)));
  });
  return fixed(total);
}

export function area(texts: Value[]): number {
  const points = parsePoints(texts);
  if (!points) return NaN;
  if (points.length < 3) return 0;
  let total = 0;
  points.forEach(([lat1, lon1], index) => {
    const [lat2, lon2] = points[(index + 1) % points.length]!;
    total += radians(lon2 - lon1) * (2 + Math.sin(radians(lat1)) + Math.sin(radians(lat2)));
  });
  return fixed(Math.abs((total * RADIUS * RADIUS) / 2));
}

/** Whether a point lies in a shape (even-odd rule on latitude and longitude). */
export function geofence(point: Value, shape: Value): boolean {
  const at = parsePoints([point]);
  const corners = parsePoints([shape]);
  if (!at?.length || !corners?.length) return false;
  const [y, x] = at[0]!;
  let isInside = false;
  corners.forEach(([y1, x1], index) => {
    const [y2, x2] = corners[(index + 1) % corners.length]!;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isInside = !isInside;
  });
  return isInside;
}
