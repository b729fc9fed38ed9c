import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { findAreasAround, findGridCell, type Outlines } from "./areas";

const UNIT = 100_000;

/** A ring as it is sent: its first corner, then steps. */
function ring(...corners: [longitude: number, latitude: number][]): number[] {
  const steps: number[] = [];
  let x = 0;
  let y = 0;
  for (const [longitude, latitude] of corners) {
    const nextX = Math.round(longitude * UNIT);
    const nextY = Math.round(latitude * UNIT);
    steps.push(nextX - x, nextY - y);
    x = nextX;
    y = nextY;
  }
  const [first] = corners;
  return [...steps, Math.round(first![0] * UNIT) - x, Math.round(first![1] * UNIT) - y];
}

const box = (west: number, south: number, east: number, north: number): number[] =>
  ring([west, south], [east, south], [east, north], [west, north]);

const TWO: Outlines = {
  areas: { west: [box(-79.4, 43.6, -79.3, 43.7)], east: [box(-79.3, 43.6, -79.2, 43.7)] },
};

describe("the area of a fix", () => {
  it("is none where there is no outline", () => {
    assert.deepEqual(findAreasAround({ areas: {} }, -79.35, 43.65, 0), []);
    assert.deepEqual(findAreasAround(TWO, -79.5, 43.65, 0), []);
    assert.deepEqual(findAreasAround(TWO, -79.35, 43.75, 0), []);
  });

  it("is the one around it", () => {
    assert.deepEqual(findAreasAround(TWO, -79.35, 43.65, 0), ["west"]);
    assert.deepEqual(findAreasAround(TWO, -79.25, 43.65, 0), ["east"]);
  });

  it("is each that the phone may be in, the likeliest first", () => {
    const nearBorder = -79.3003; // 24 m west of it
    assert.deepEqual(findAreasAround(TWO, nearBorder, 43.65, 10), ["west"]);
    assert.deepEqual(findAreasAround(TWO, nearBorder, 43.65, 100), ["west", "east"]);
    assert.deepEqual(findAreasAround(TWO, -79.2997, 43.65, 100), ["east", "west"]);
  });

  it("is found from outside when the phone is not sure", () => {
    assert.deepEqual(findAreasAround(TWO, -79.25, 43.7005, 20), []);
    assert.deepEqual(findAreasAround(TWO, -79.25, 43.7005, 200), ["east"]);
  });

  it("measures as far to the east as to the north", () => {
    const island: Outlines = { areas: { island: [box(-79.301, 43.65, -79.3, 43.651)] } };
    const metre = 1 / 111_320;
    const wide = metre / Math.cos((43.65 * Math.PI) / 180);
    assert.deepEqual(findAreasAround(island, -79.3 + 150 * wide, 43.6505, 140), []);
    assert.deepEqual(findAreasAround(island, -79.3 + 150 * wide, 43.6505, 160), ["island"]);
    assert.deepEqual(findAreasAround(island, -79.3005, 43.651 + 150 * metre, 140), []);
    assert.deepEqual(findAreasAround(island, -79.3005, 43.651 + 150 * metre, 160), ["island"]);
  });

  it("leaves out holes, and takes in every part", () => {
    const parts: Outlines = {
      areas: {
        ring: [box(0, 0, 3, 3), box(1, 1, 2, 2)],
        both: [box(5, 0, 6, 1), box(8, 0, 9, 1)],
      },
    };
    assert.deepEqual(findAreasAround(parts, 0.5, 0.5, 0), ["ring"]);
    assert.deepEqual(findAreasAround(parts, 1.5, 1.5, 0), []);
    assert.deepEqual(findAreasAround(parts, 5.5, 0.5, 0), ["both"]);
    assert.deepEqual(findAreasAround(parts, 8.5, 0.5, 0), ["both"]);
    assert.deepEqual(findAreasAround(parts, 7, 0.5, 0), []);
  });

  it("is one and only one where outlines cover the ground without gaps", () => {
    const { next, seed } = seeded("ground");
    const areas: Outlines["areas"] = {};
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < 4; column++)
        areas[`${column},${row}`] = [box(column, row, column + 1, row + 1)];
    for (let round = 0; round < 300; round++) {
      const x = next() * 4;
      const y = next() * 4;
      const expected = [`${Math.floor(x)},${Math.floor(y)}`];
      assert.deepEqual(findAreasAround({ areas }, x, y, 0), expected, `seed ${seed}: ${x}, ${y}`);
    }
  });

  it("follows slanted borders", () => {
    const diamond: Outlines = { areas: { diamond: [ring([10, 9], [11, 10], [10, 11], [9, 10])] } };
    const { next, seed } = seeded("diamond");
    for (let round = 0; round < 300; round++) {
      const x = 9 + next() * 2;
      const y = 9 + next() * 2;
      const expected = Math.abs(x - 10) + Math.abs(y - 10) < 1 ? ["diamond"] : [];
      assert.deepEqual(findAreasAround(diamond, x, y, 0), expected, `seed ${seed}: ${x}, ${y}`);
    }
  });

  it("does not fail at a pole", () => {
    const cap: Outlines = { areas: { cap: [box(-180, 80, 180, 90)] } };
    assert.deepEqual(findAreasAround(cap, 0, 89.999, 100), ["cap"]);
  });
});

describe("the square of a place", () => {
  it("counts rows from the equator and columns from Greenwich", () => {
    assert.equal(findGridCell(0.001, 0.001), "c500:N0:E0");
    assert.equal(findGridCell(-0.001, -0.001), "c500:S1:W1");
    assert.equal(findGridCell(-79.38, 43.65), "c500:N9718:W12788");
  });

  it("is half a kilometre wide and high", () => {
    const metre = 1 / 111_320;
    const latitude = 43.65;
    const row = (meters: number): string =>
      findGridCell(-79.38, latitude + meters * metre).split(":")[1]!;
    const rows = new Set(Array.from({ length: 100 }, (_, step) => row(step * 50)));
    assert.ok(rows.size >= 10 && rows.size <= 11, [...rows].join());
    const wide = metre / Math.cos((latitude * Math.PI) / 180);
    const column = (meters: number): string =>
      findGridCell(-79.38 + meters * wide, latitude).split(":")[2]!;
    const columns = new Set(Array.from({ length: 100 }, (_, step) => column(step * 50)));
    assert.ok(columns.size >= 10 && columns.size <= 11, [...columns].join());
  });

  it("is the same for two places close together, except across its edge", () => {
    const { next, seed } = seeded("squares");
    let same = 0;
    for (let round = 0; round < 400; round++) {
      const longitude = -79.6 + next() * 0.4;
      const latitude = 43.6 + next() * 0.2;
      if (findGridCell(longitude, latitude) === findGridCell(longitude + 0.0001, latitude + 0.0001))
        same++;
    }
    assert.ok(same > 360 && same < 400, `seed ${seed}: ${same} of 400`);
  });
});
