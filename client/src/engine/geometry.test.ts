import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { area, distance, geofence } from "./geometry";
import { parsePoints } from "./points";

const TORONTO = "43.6532 -79.3832";
const MONTREAL = "45.5019 -73.5674";
const DEGREE = (6_378_100 * Math.PI) / 180; // metres along a great circle

const close = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

describe("points", () => {
  it("are refused when one of them is none", () => {
    for (const text of [
      "43",
      "x y",
      "91 0",
      "-90.1 0",
      "0 181",
      "0 -180.5",
      "1 2; 3",
      "1,5 2",
      "1e1 2",
    ])
      assert.equal(parsePoints([text]), null, text);
  });

  it("come from texts with points between semicolons", () => {
    assert.deepEqual(parsePoints(["1 2;3 4 5 6", "7 8"]), [
      [1, 2],
      [3, 4],
      [7, 8],
    ]);
  });

  it("are none in a blank text, and no fault", () => {
    assert.deepEqual(parsePoints([""]), []);
    assert.deepEqual(parsePoints([]), []);
    assert.deepEqual(parsePoints(["1 2; ;"]), [[1, 2]]);
  });

  it("may lie at the very edge of the map", () => {
    assert.deepEqual(parsePoints(["90 180;-90 -180"]), [
      [90, 180],
      [-90, -180],
    ]);
  });
});

describe("distance", () => {
  it("is no number for what is no point", () => {
    assert.ok(Number.isNaN(distance(["x"])));
  });

  it("is nothing between fewer than two points", () => {
    assert.equal(distance([]), 0);
    assert.equal(distance([TORONTO]), 0);
    assert.equal(distance([TORONTO, TORONTO]), 0);
  });

  it("is the length of a great circle in metres", () => {
    close(distance([TORONTO, MONTREAL]), 503_900, 1500);
    close(distance(["0 0;0 1"]), DEGREE, 0.01);
    close(distance(["0 0", "90 0"]), 90 * DEGREE, 0.1);
    close(distance(["0 0", "0 180"]), 180 * DEGREE, 0.1);
  });

  it("adds up along a line, wherever the points stand", () => {
    const whole = distance(["0 0; 0 1; 0 3"]);
    close(whole, distance(["0 0", "0 1", "0 3"]), 0.001);
    close(whole, 3 * DEGREE, 0.01);
  });

  it("is the same there and back, and never longer than by another place", () => {
    const { next, seed } = seeded("distances");
    const place = (): string => `${next() * 160 - 80} ${next() * 340 - 170}`;
    for (let round = 0; round < 100; round++) {
      const [a, b, c] = [place(), place(), place()] as [string, string, string];
      close(distance([a, b]), distance([b, a]), 0.01);
      const direct = distance([a, b]);
      assert.ok(direct <= distance([a, c, b]) + 0.01, `seed ${seed}: ${a} ${b} ${c}`);
    }
  });
});

describe("area", () => {
  it("is no number for what is no point, and nothing for a line", () => {
    assert.ok(Number.isNaN(area(["1 2;x"])));
    assert.equal(area([]), 0);
    assert.equal(area(["0 0;0 1"]), 0);
  });

  it("is right for a square of a hundredth of a degree at the equator", () => {
    const side = DEGREE / 100;
    close(area(["0 0;0 0.01;0.01 0.01;0.01 0"]), side * side, side);
  });

  it("does not depend on where the outline begins, or on its direction", () => {
    const corners = ["43.6 -79.4", "43.6 -79.3", "43.7 -79.3", "43.7 -79.4"];
    const whole = area(corners);
    assert.ok(whole > 0);
    for (let first = 0; first < 4; first++) {
      const turned = [...corners.slice(first), ...corners.slice(0, first)];
      close(area(turned), whole, 0.001);
      close(area(turned.reverse()), whole, 0.001);
    }
  });

  it("is the same when the first corner is named again at the end", () => {
    const open = area(["0 0;0 1;1 1;1 0"]);
    close(area(["0 0;0 1;1 1;1 0;0 0"]), open, 1);
  });
});

describe("a fence", () => {
  const square = "43.6 -79.4;43.6 -79.3;43.7 -79.3;43.7 -79.4";

  it("holds nothing when it, or the point, is missing or wrong", () => {
    assert.equal(geofence("", square), false);
    assert.equal(geofence("43.65 -79.35", ""), false);
    assert.equal(geofence("x", square), false);
    assert.equal(geofence("43.65 -79.35", "x"), false);
  });

  it("tells inside from outside", () => {
    assert.equal(geofence("43.65 -79.35 0 5", square), true);
    assert.equal(geofence("43.75 -79.35", square), false);
    assert.equal(geofence("43.65 -79.45", square), false);
  });

  it("leaves out what lies in a bay of the shape", () => {
    const letter = "0 0;0 3;3 3;3 2;1 2;1 1;3 1;3 0";
    assert.equal(geofence("2 1.5", letter), false);
    assert.equal(geofence("0.5 1.5", letter), true);
    assert.equal(geofence("2 0.5", letter), true);
  });

  it("agrees with simple arithmetic on squares", () => {
    const { next, seed } = seeded("fences");
    for (let round = 0; round < 200; round++) {
      const latitude = next() * 4 - 2;
      const longitude = next() * 4 - 2;
      const isInside = Math.abs(latitude) < 1 && Math.abs(longitude) < 1;
      const actual = geofence(`${latitude} ${longitude}`, "-1 -1;-1 1;1 1;1 -1");
      assert.equal(actual, isInside, `seed ${seed}: ${latitude} ${longitude}`);
    }
  });
});
