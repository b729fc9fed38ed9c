/** Areas, distances and fences on the earth; the twin of forms/expressions/geometry.py. */

import { fixed, isNumber, toText, type Value } from "./values";

const RADIUS = 6_378_100; // metres
type Point = [latitude: number, longitude: number];

const radians = (degrees: number): number => degrees * (Math.PI / 180);

/** The points in some answers; null where one is no point. */
export function parsePoints(texts: Value[]): Point[] | null {
  const points: Point[] = [];
  for (const part of texts.flatMap((text) => toText(text).split(";"))) {
    const numbers = part.split(/[ \t\n\r\f\v]+/).filter(Boolean);
    if (numbers.length === 0) continue;
    if (numbers.length < 2 || !isNumber(numbers[0]!) || !isNumber(numbers[1]!)) return null;
    const latitude = Number(numbers[0]);
    const longitude = Number(numbers[1]);
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return null;
    points.push([latitude, longitude]);
  }
  return points;
}

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
