/** Points as answers write them; the twin of parse_points in forms/expressions/geometry.py. */

import { isNumber, toText, type Value } from "./values";

type Point = [latitude: number, longitude: number];

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
